"""Tiny numbers become zero in a thread and in those that work for it."""
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from rtseg_plugin.engine import FlushDenormalsHook
from rtseg_plugin.utils.denormals import flush_denormals


def in_a_thread(work):
    """What ``work`` returns in a thread of its own, whose mode ends with it.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.fixture
def two_threads():
    """OpenMP with two threads; skips where nothing can be flushed."""
    if not in_a_thread(lambda: torch.set_flush_denormal(True)):
        pytest.skip('this processor flushes no denormals')
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def left_over() -> int:
    """How many of a million products of 1e-40 are not zero."""
    return int((torch.full((1 << 20, ), 1e-20) * 1e-20).count_nonzero())


def test_threads_that_run_already_flush_too(two_threads):

    def work():
        torch.set_flush_denormal(False)
        before = left_over()
        flush_denormals()
        flush_denormals()
        return before, left_over()

    assert in_a_thread(work) == (1 << 20, 0)


def test_what_is_added_to_larger_numbers_stays(two_threads):
    generator = torch.Generator().manual_seed(0)
    logits = 60 * torch.randn(8, 500, generator=generator)
    values = torch.randn(500, 16, generator=generator)

    def attention(flush):
        torch.set_flush_denormal(False)
        if flush:
            flush_denormals()
        weights = logits.softmax(1)
        small = int(((weights.view(torch.int32) < 1 << 23)
                     & (weights.view(torch.int32) > 0)).sum())
        return small, weights @ values

    small, plain = in_a_thread(lambda: attention(False))
    none, flushed = in_a_thread(lambda: attention(True))
    assert small > 0
    assert none == 0
    assert torch.equal(plain, flushed)


@pytest.mark.parametrize('device, flushes', [('cpu', True), ('meta', False)])
def test_the_hook_is_for_processors(two_threads, device, flushes):
    runner = SimpleNamespace(model=nn.Linear(2, 2, device=device))

    def work():
        torch.set_flush_denormal(False)
        FlushDenormalsHook().before_run(runner)
        return left_over() == 0

    assert in_a_thread(work) is flushes
