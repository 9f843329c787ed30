import pytest
import torch
from torch.nn import functional as F

from rtseg_plugin.models.inference import upsample_logits


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


@torch.no_grad()
def test_logits_of_the_right_size_pass():
    logits = torch.randn(1, 3, 8, 12)
    assert upsample_logits(logits, (8, 12)) is logits
