import pytest
import torch
from mmseg.registry import MODELS
from torch.nn import functional as F

from rtseg_plugin.models.layers import (
    ChannelSelfAttention,
    FastAttention,
    NoAttention,
    SoftmaxSelfAttention,
)

KINDS = ('FastAttention', 'SoftmaxSelfAttention', 'ChannelSelfAttention',
         'NoAttention')


def flat(layer, x):
    """(N, P, channels)"""
    return layer(x).flatten(2).transpose(1, 2)


@torch.no_grad()
@pytest.mark.parametrize('memory_format',
                         [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('batch', [1, 2])
@pytest.mark.parametrize('l2_norm', [True, False])
@pytest.mark.parametrize('mean', [True, False])
def test_fast_attention_is_the_quadratic_form(batch, memory_format, l2_norm,
                                              mean):
    torch.manual_seed(0)
    layer = FastAttention(
        12, 5, l2_norm=l2_norm, divide_by_positions=mean).double().eval()
    x = torch.randn(batch, 12, 6, 7, dtype=torch.double)
    x = x.contiguous(memory_format=memory_format)
    query, key = flat(layer.query, x), flat(layer.key, x)
    if l2_norm:
        query, key = F.normalize(query, dim=2), F.normalize(key, dim=2)
    want = query @ key.transpose(1, 2) @ flat(layer.value, x)
    if mean:
        want = want / 42
    out = layer(x)
    torch.testing.assert_close(out, want.transpose(1, 2).reshape(x.shape))
    assert out.is_contiguous(memory_format=memory_format)


@torch.no_grad()
def test_softmax_attention():
    torch.manual_seed(0)
    layer = SoftmaxSelfAttention(12, 5).double().eval()
    x = torch.randn(2, 12, 6, 7, dtype=torch.double)
    energy = flat(layer.query, x) @ flat(layer.key, x).transpose(1, 2)
    want = energy.softmax(-1) @ flat(layer.value, x)
    torch.testing.assert_close(
        layer(x),
        want.transpose(1, 2).reshape(x.shape))


@torch.no_grad()
def test_channel_attention():
    torch.manual_seed(0)
    layer = ChannelSelfAttention(12)
    x = torch.randn(2, 12, 6, 7)
    assert torch.equal(layer(x), x)  # the scalar starts at 0
    layer.gamma.scale.fill_(2)
    energy = x.flatten(2) @ x.flatten(2).transpose(1, 2)
    # DANet attends to what differs: the largest energy minus each
    attention = (energy.amax(-1, keepdim=True) - energy).softmax(-1)
    want = 2 * (attention @ x.flatten(2)).reshape(x.shape) + x
    torch.testing.assert_close(layer(x), want)


def test_no_attention():
    x = torch.randn(2, 12, 6, 7)
    assert NoAttention(12)(x) is x


@pytest.mark.parametrize('kind', KINDS)
def test_one_interface(kind):
    layer = MODELS.build(
        dict(type=kind, in_channels=12, norm_cfg=dict(type='BN')))
    layer.train()
    x = torch.randn(2, 12, 6, 7, requires_grad=True)
    out = layer(x)
    assert out.shape == x.shape
    out.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


@torch.no_grad()
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_autocast_keeps_the_product_in_float32(dtype):
    layer = FastAttention(8).eval()
    # every key equals every query and values are 2 or more: the sum over
    # 49 152 positions is beyond float16
    for conv in (layer.query.conv, layer.key.conv, layer.value.conv):
        torch.nn.init.constant_(conv.weight, 0.25)
    x = torch.ones(1, 8, 192, 256)
    with torch.autocast('cpu', dtype=dtype):
        out = layer(x)
    assert out.dtype == torch.float32
    assert out.isfinite().all()
    # the inputs of the product are rounded to bfloat16
    torch.testing.assert_close(out, layer(x), rtol=1e-2, atol=0)
    assert out.max() > torch.finfo(torch.float16).max


def test_bad_arguments():
    with pytest.raises(ValueError, match='query_channels'):
        FastAttention(8, query_channels=0)
    with pytest.raises(TypeError):
        FastAttention(8, query_chanels=16)
