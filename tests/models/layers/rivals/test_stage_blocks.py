import pytest
import torch
from mmseg.registry import MODELS

import rtseg_plugin  # noqa: F401
from rtseg_plugin.models.layers import ConvolutionalAttention

BLOCKS = [
    'CFBlock', 'ConvResBlock', 'SegFormerBlock', 'GFABlock', 'MSCANBlock'
]


@pytest.mark.parametrize('block', BLOCKS)
def test_blocks_keep_the_shape_and_train(block):
    torch.manual_seed(0)
    module = MODELS.build(dict(type=block, channels=64, drop_path_rate=0.1))
    out = module(torch.randn(2, 64, 9, 13))
    assert out.shape == (2, 64, 9, 13)
    out.square().mean().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
    module.to(memory_format=torch.channels_last)
    module(out.detach().to(memory_format=torch.channels_last)).sum().backward()


@pytest.mark.parametrize('block', BLOCKS)
def test_blocks_in_the_backbone(block):
    backbone = MODELS.build(dict(type='SCTNet', block=dict(type=block)))
    outs = backbone.eval()(torch.randn(1, 3, 64, 96))
    assert outs[0].shape == (1, 128, 8, 12)


def test_attention_refuses_bad_arguments():
    with pytest.raises(ValueError, match='must divide'):
        ConvolutionalAttention(32, num_kernels=60, groups=8)
    with pytest.raises(ValueError, match='odd'):
        ConvolutionalAttention(32, kernel_shapes=((6, 1), ))
