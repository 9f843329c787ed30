import pytest
import torch
from torch import nn
from torch.nn import functional as F

import rtseg_plugin  # noqa: F401
from rtseg_plugin.models.layers.eager_inference import (
    conv_norm,
    is_eager_cpu_inference,
    upsample_logits,
)


@pytest.mark.parametrize('size', [(64, 96), (64, 48), (16, 24), (40, 60),
                                  (61, 90), (8, 12), (24, 36)])
@pytest.mark.parametrize('layout',
                         [torch.contiguous_format, torch.channels_last])
def test_upsample_is_interpolate(size, layout):
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 8, 12).contiguous(memory_format=layout)
    want = F.interpolate(
        logits, size=size, mode='bilinear', align_corners=False)
    with torch.no_grad():
        # blends in another order: rounding of float32
        torch.testing.assert_close(
            upsample_logits(logits, size), want, rtol=0, atol=2e-6)
    got = upsample_logits(logits.requires_grad_(), size)
    assert got.requires_grad
    corners = F.interpolate(
        logits, size=size, mode='bilinear', align_corners=True)
    torch.testing.assert_close(
        upsample_logits(logits, size, align_corners=True), corners)


def test_norm_joins_the_weights_in_inference_only():
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
    x = torch.randn(2, 3, 9, 9)
    norm(conv(x))  # moves the running statistics
    with torch.no_grad():
        nn.init.uniform_(norm.weight, 0.5, 1.5)
    norm.eval()
    want = norm(conv(x))
    with torch.no_grad():
        torch.testing.assert_close(
            conv_norm(conv, norm, x), want, rtol=0, atol=1e-5)
        assert is_eager_cpu_inference(x)
        norm.train()
        before = norm.running_mean.clone()
        conv_norm(conv, norm, x)
        assert not torch.equal(norm.running_mean, before)
        # a changed weight counts at once
        norm.eval()
        norm.weight.mul_(2)
        torch.testing.assert_close(
            conv_norm(conv, norm, x), norm(conv(x)), rtol=0, atol=1e-5)
    assert not is_eager_cpu_inference(x)


@torch.no_grad()
def test_hooks_see_both_modules():
    """Without them a tap on either would find nothing on a CPU."""
    conv, norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8).eval()
    x, seen = torch.randn(1, 3, 9, 9), []
    for module in (conv, norm):
        handle = module.register_forward_hook(
            lambda module, args, out: seen.append(type(module).__name__))
        got = conv_norm(conv, norm, x)
        handle.remove()
        torch.testing.assert_close(got, norm(conv(x)))
    assert seen == ['Conv2d', 'BatchNorm2d']
