"""Two and four processes train as one; without a GPU."""
import os
import subprocess
import sys
import time

import pytest
import torch

from tests.builders import ROOT
from tests.engine import faulty_run, many_worker


def launch(processes, *command, **environment):
    """torchrun with a port of its own choosing."""
    return subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone',
         '--nproc_per_node', str(processes), *map(str, command)],
        cwd=ROOT, env=dict(os.environ, PYTHONPATH=str(ROOT),
                           OMP_NUM_THREADS='1', **environment),
        capture_output=True, text=True, timeout=500)


@pytest.fixture(scope='module')
def one(tmp_path_factory):
    """What a single process gives, in a process of its own."""
    out = tmp_path_factory.mktemp('one')
    child = subprocess.run(
        [sys.executable, '-m', 'tests.engine.many_worker', str(out)],
        cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert child.returncode == 0, child.stderr[-3000:]
    return torch.load(out / 'rank0.pth')


@pytest.mark.parametrize('processes', [
    2, pytest.param(4, marks=pytest.mark.slow)])
def test_processes_train_as_one(tmp_path, one, processes):
    """Weights, metrics and plateaus; 12 samples are 8 and an uneven 4."""
    result = launch(processes, many_worker.__file__, tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    for rank in range(processes):
        many = torch.load(tmp_path / f'rank{rank}.pth')
        assert many['rates'] == one['rates']
        for name, value in one['state'].items():
            torch.testing.assert_close(
                many['state'][name], value, rtol=1e-9, atol=1e-12, msg=name)
        for this, other in zip(many['metrics'], one['metrics'], strict=True):
            assert this['count'] == other['count'] == 10
            assert this['score'] == pytest.approx(other['score'], rel=1e-9)
    assert len(set(one['rates'])) > 1  # a plateau was seen


def test_a_dying_rank_ends_the_job(tmp_path):
    """The others do not wait for it, and its trace is printed."""
    start = time.monotonic()
    result = launch(2, many_worker.__file__, tmp_path, 1)
    assert result.returncode != 0
    assert 'RuntimeError: this rank is dying' in result.stderr
    assert time.monotonic() - start < 240  # torch would wait half an hour


def test_a_killed_worker_ends_the_training(tmp_path):
    """And is no silent loss of its share of the data."""
    child = faulty_run.in_a_child(tmp_path, workers=1, kill_worker=True)
    assert child.returncode == 1
    assert 'is killed by signal' in child.stderr
