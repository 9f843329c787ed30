import pytest
import torch
from mmcv.ops import CrissCrossAttention
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from rtseg_plugin.models.layers import GuidedCrissCrossAttention


def layer(channels=12, gamma=0.3, **kwargs):
    torch.manual_seed(0)
    result = GuidedCrissCrossAttention(channels, 3, **kwargs).eval()
    result.gamma.data.fill_(gamma)
    return result


def quadratic(attention, query, value):
    """The definition, with an HW x HW matrix of energies."""
    n, c, h, w = value.shape
    row = torch.arange(h).repeat_interleave(w)
    column = torch.arange(w).repeat(h)
    seen = (row[:, None] == row) | (column[:, None] == column)

    def positions(conv, x):
        return conv(x).flatten(2).transpose(1, 2)

    for _ in range(attention.recurrence):
        energy = positions(attention.query_conv, query) @ positions(
            attention.key_conv, value).transpose(1, 2)
        energy = energy.masked_fill(~seen, float('-inf'))
        read = energy.softmax(2) @ positions(attention.value_conv, value)
        value = value + attention.gamma * read.transpose(1, 2).reshape(
            n, c, h, w)
    return value


@pytest.mark.parametrize('memory_format',
                         [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('shape', [(1, 5, 7), (2, 5, 7), (2, 1, 6), (1, 6, 1)])
@pytest.mark.parametrize('recurrence', [1, 2, 3])
def test_is_the_quadratic_form(shape, memory_format, recurrence):
    """Forward and backward, also where a column is nothing but the pixel."""
    attention = layer(recurrence=recurrence).double()
    n, h, w = shape
    query, value = torch.randn(2, n, 12, h, w, dtype=torch.double)
    inputs = [
        x.contiguous(memory_format=memory_format).requires_grad_()
        for x in (query, value)
    ]
    out = attention(*inputs)
    want = quadratic(attention, *inputs)
    torch.testing.assert_close(out, want)
    tensors = [*inputs, *attention.parameters()]
    grad = torch.randn_like(want)
    for got, expected in zip(
            torch.autograd.grad(out, tensors, grad),
            torch.autograd.grad(want, tensors, grad)):
        torch.testing.assert_close(got, expected)


@torch.no_grad()
def test_with_one_feature_it_is_mmcvs():
    attention = layer(channels=24, recurrence=1).double()
    host = CrissCrossAttention(24).double()
    state = attention.state_dict()
    state['gamma.scale'] = state.pop('gamma')[0]
    host.load_state_dict(state)
    x = torch.randn(2, 24, 6, 9, dtype=torch.double)
    torch.testing.assert_close(attention(x, x), host(x))


@torch.no_grad()
def test_starts_as_the_identity():
    value = torch.randn(1, 12, 4, 5)
    out = GuidedCrissCrossAttention(12)(torch.randn_like(value), value)
    torch.testing.assert_close(out, value, rtol=0, atol=0)


class LargestTensor(TorchDispatchMode):
    """Records the largest tensor that any operation returns."""
    numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in tree_iter(out):
            if isinstance(x, torch.Tensor):
                self.numel = max(self.numel, x.numel())
        return out


def test_no_tensor_grows_with_the_square_of_the_positions():
    h, w = 40, 56
    attention = layer()
    query, value = torch.randn(2, 1, 12, h, w)
    with LargestTensor() as largest:
        attention(query, value).sum().backward()
    # the energies, and nothing beyond them
    assert largest.numel == h * w * (h + w) < (h * w)**2


@torch.no_grad()
@pytest.mark.parametrize('mode', ['half', 'bfloat16', 'autocast'])
def test_energies_beyond_the_range_of_float16(mode):
    attention = layer(recurrence=1)
    attention.query_conv.weight.mul_(300)
    attention.key_conv.weight.mul_(300)
    query, value = torch.randn(2, 1, 12, 5, 7)
    energy = torch.einsum('nchw,ncij->hwij', attention.query_conv(query),
                          attention.key_conv(value))
    assert energy.abs().max() > torch.finfo(torch.float16).max
    want = attention(query, value)
    if mode == 'autocast':
        with torch.autocast('cpu', torch.float16):
            out = attention(query, value)
    else:
        dtype = torch.half if mode == 'half' else torch.bfloat16
        out = attention.to(dtype)(query.to(dtype), value.to(dtype))
    assert out.isfinite().all()
    # A one-hot softmax may pick another of two near energies, and bfloat16
    # has 8 bits: most values agree to a few of its units.
    near = (out.float() - want).abs() < 0.05
    assert near.float().mean() > 0.9


def test_bad_input():
    with pytest.raises(ValueError, match='one shape'):
        layer()(torch.zeros(1, 12, 4, 5), torch.zeros(1, 12, 4, 6))
    with pytest.raises(ValueError, match='recurrence'):
        layer(recurrence=0)
