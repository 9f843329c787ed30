import pytest
import torch
from mmseg.registry import MODELS
from torch.nn import functional as F

from rtseg_plugin.models.layers import (
    GuidedAttentiveInterpolation,
    GuidedDenseAttention,
    adaptive_average_pool,
)

ALL = [
    dict(type='BilinearInterpolation'),
    dict(type='GuidedAttentiveInterpolation'),
    dict(type='GuideQueryInterpolation'),
    dict(type='SemanticQueryInterpolation'),
    dict(type='FlowAlignedInterpolation'),
    dict(
        type='GuidedAttentiveInterpolation',
        attention=dict(type='GuidedDenseAttention')),
    dict(
        type='GuidedAttentiveInterpolation',
        attention=dict(type='OfficialDenseAttention')),
    dict(
        type='GuidedAttentiveInterpolation',
        attention=dict(type='GuidedSampledAttention', points=4)),
]


@torch.no_grad()
@pytest.mark.parametrize('align_corners', [False, True])
def test_the_equation(align_corners):
    """Weights of each part of the concatenations by themselves."""
    torch.manual_seed(0)
    module = GuidedAttentiveInterpolation(
        16, guide_channels=5, align_corners=align_corners).double().eval()
    module.attention.gamma.fill_(0.5)
    guide = torch.randn(2, 5, 7, 9, dtype=torch.double)
    semantic = torch.randn(2, 16, 3, 4, dtype=torch.double)
    up = F.interpolate(
        semantic, (7, 9), mode='bilinear', align_corners=align_corners)
    weight, bias = module.query_conv.weight, module.query_conv.bias
    query = F.conv2d(up, weight[:, :16]) + F.conv2d(guide, weight[:, 16:],
                                                    bias)
    value = module.attention(query, module.value_conv(up))
    conv, norm, act = module.bottleneck
    want = F.conv2d(value, conv.weight[:, :8]) + F.conv2d(
        up, conv.weight[:, 8:])
    torch.testing.assert_close(module(guide, semantic), act(norm(want)))


@pytest.mark.parametrize('config', ALL)
def test_every_form_trains_and_predicts(config):
    """One interface; every parameter has a gradient once gamma is not 0."""
    torch.manual_seed(0)
    module = MODELS.build({**config, 'channels': 32})
    if hasattr(getattr(module, 'attention', None), 'gamma'):
        module.attention.gamma.data.fill_(0.5)
    guide, semantic = torch.randn(2, 32, 8, 12), torch.randn(2, 32, 3, 4)
    module(guide, semantic).square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
    with torch.no_grad():
        out = module.eval()(guide, semantic)
    assert out.shape == guide.shape
    assert out.isfinite().all()


def test_parameters_of_gains_module():
    module = GuidedAttentiveInterpolation(128)
    assert sum(p.numel() for p in module.parameters()) == 54737


def test_an_argument_of_the_attention_passes_through():
    module = GuidedAttentiveInterpolation(
        32, attention=dict(type='GuidedCrissCrossAttention', qk_channels=5))
    assert module.attention.key_conv.out_channels == 5
    assert module.attention.recurrence == 2


@torch.no_grad()
def test_dense_attention():
    torch.manual_seed(0)
    layer = GuidedDenseAttention(12, 5, recurrence=2).double()
    layer.gamma.fill_(0.3)
    query, value = torch.randn(2, 2, 12, 4, 6, dtype=torch.double)
    out, want = layer(query, value), value
    q = layer.query_conv(query).flatten(2)
    for _ in range(2):
        k = layer.key_conv(want).flatten(2)
        weights = (torch.einsum('nci,ncj->nij', q, k) / 5**0.5).softmax(2)
        read = torch.einsum('nij,ncj->nci', weights,
                            layer.value_conv(want).flatten(2))
        want = want + 0.3 * read.view_as(want)
    torch.testing.assert_close(out, want)


@pytest.mark.parametrize('config', ALL)
def test_bad_input_is_named(config):
    module = MODELS.build({**config, 'channels': 32})
    good = torch.zeros(1, 32, 4, 6)
    with pytest.raises(ValueError, match='semantic must have the shape'):
        module(good, torch.zeros(1, 31, 2, 3))
    with pytest.raises(ValueError, match='guide must have the shape'):
        module(torch.zeros(1, 33, 4, 6), good)
    with pytest.raises(ValueError, match='1 and 2 images'):
        module(good, torch.zeros(2, 32, 2, 3))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match='guide_channels must be 32'):
        MODELS.build(
            dict(
                type='FlowAlignedInterpolation',
                channels=32,
                guide_channels=16))
    with pytest.raises(ValueError, match='recurrence'):
        GuidedDenseAttention(8, recurrence=0)
    with pytest.raises(ValueError, match='multiple of the number of bins'):
        MODELS.build(dict(type='PyramidPoolingContext', channels=30))
    with pytest.raises(TypeError):
        GuidedAttentiveInterpolation(32, recurence=1)


@torch.no_grad()
@pytest.mark.parametrize('size', [(6, 6), (7, 9), (4, 13), (1, 2)])
@pytest.mark.parametrize('bins', [1, 2, 3, 6])
def test_pooling_is_adaptive_average_pooling(size, bins):
    x = torch.randn(2, 3, *size, dtype=torch.double)
    torch.testing.assert_close(
        adaptive_average_pool(x, bins), F.adaptive_avg_pool2d(x, bins))


@torch.no_grad()
@pytest.mark.parametrize('config', [ALL[4], ALL[-1]])
def test_places_are_in_float32_under_autocast(config, monkeypatch):
    """In bfloat16 they would be half a pixel off on a map of 256."""
    seen, sample = [], F.grid_sample

    def grid_sample(feature, grid, **kwargs):
        seen.append(grid.dtype)
        return sample(feature, grid, **kwargs)

    monkeypatch.setattr(F, 'grid_sample', grid_sample)
    module = MODELS.build({**config, 'channels': 8}).eval()
    guide, semantic = torch.randn(1, 8, 8, 12), torch.randn(1, 8, 3, 4)
    with torch.autocast('cpu', torch.bfloat16):
        module(guide, semantic.bfloat16())
    assert seen == [torch.float32]
