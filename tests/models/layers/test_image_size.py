"""Images that are too small for a backbone."""
import warnings

import pytest
import torch
from mmseg.registry import MODELS
from torch import nn

from rtseg_plugin.models.layers import check_image_size

STRIDES = [
    # the halving of the image, the pooling and a stride of 4 count
    (dict(
        type='FANetResNet',
        base_channels=8,
        strides=(1, 2, 2, 2),
        halve_image=True), 64),
    (dict(
        type='FANetResNet',
        base_channels=8,
        strides=(1, 4, 2, 2),
        pools=('max', None, None, None)), 128),
    (dict(type='GAINResNet', base_channels=8, strides=(1, 2, 2, 1)), 16),
    (dict(type='DFNet', output_stride=64), 64),
    (dict(type='DFNet', output_stride=64, out_indices=(0, 2)), 16),
]


@torch.no_grad()
@pytest.mark.parametrize('cfg, stride', STRIDES)
def test_stride_is_the_smallest_size(cfg, stride):
    backbone = MODELS.build(cfg).eval()
    assert backbone.total_stride == stride
    outs = backbone(torch.randn(1, 3, stride, 2 * stride))
    assert min(out.shape[2] for out in outs) == 1
    for size in ((stride - 1, 2 * stride), (2 * stride, stride - 1), (4, 4)):
        message = (f'{cfg["type"]} .* at least {stride}x{stride} pixels, got '
                   f'{size[0]}x{size[1]}')
        with pytest.raises(ValueError, match=message):
            backbone(torch.randn(1, 3, *size))


class Halving(nn.Module):
    total_stride = 64

    def forward(self, x):
        check_image_size(x, self)
        return x[..., ::2, ::2]


def test_nothing_of_it_is_traced():
    x = torch.randn(1, 3, 64, 96)
    with warnings.catch_warnings():
        warnings.simplefilter('error', torch.jit.TracerWarning)
        traced = torch.jit.trace(Halving(), x)
    assert traced(torch.randn(1, 3, 8, 10)).shape == (1, 3, 4, 5)


def test_an_exported_network_keeps_its_sizes_free():
    side = torch.export.Dim('side', min=2)
    exported = torch.export.export(
        Halving(), (torch.randn(1, 3, 64, 96), ),
        dynamic_shapes=({2: 2 * side, 3: 2 * torch.export.Dim('w', min=2)}, ))
    assert exported.module()(torch.randn(1, 3, 8, 10)).shape == (1, 3, 4, 5)
