"""What two tables of costs in the papers come to here, in multiply-adds.

FANet's Table I, one attention module on C x 128 x 256 features against
softmax attention between all positions, also at other resolutions; and
RTFormer's parameters and costs of its Tables 2 to 4. Counted on shapes alone,
so that nothing is computed and any size will do.
"""
import argparse
from typing import Optional

import torch
from mmseg.registry import MODELS
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from rtseg_plugin.utils.host_tools import load_config

# GFLOPs of the article: softmax, fast
FANET = {
    32: (68, 0.2), 64: (103, 0.6), 128: (173, 1.7), 256: (313, 5),
    512: (602, 19), 1024: (1203, 73)
}
# recipe, input, million parameters and GFLOPs of the paper
RTFORMER = (
    ('rtformer-slim_4xb3-120k_cityscapes-512x1024', (1024, 2048), 4.8, None),
    ('rtformer-base_4xb3-120k_cityscapes-512x1024', (1024, 2048), 16.8, None),
    ('rtformer-slim_4xb4-160k_ade20k-512x512', (512, 2048), 4.8, 17.5),
    ('rtformer-base_4xb4-160k_ade20k-512x512', (512, 2048), 16.8, 67.4),
    ('rtformer-base_4xb3-82k_coco-stuff10k-640x640', (640, 640), 16.8, 26.6),
)


def giga(module: nn.Module, *shape: int) -> float:
    """10^9 multiply-adds of a module on one input."""
    x = torch.empty(shape)
    # the counter does not see fused attention; the plain one is counted
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(
            display=False) as counter:
        module.eval()(x)
    return counter.get_total_flops() / 2e9


def attention(kind: str, channels: int, height: int, width: int) -> float:
    """A module with the output convolution that the article's figures hold."""
    module = nn.Sequential(
        MODELS.build(dict(type=kind, in_channels=channels)),
        nn.Conv2d(channels, channels, 1))
    return giga(module, 1, channels, height, width)


def fanet() -> None:
    """Print FANet's Table I and the cost against resolution."""
    print('FANet, Table I: one module, G of multiply-adds (article)')
    print(f'{"C":>5} {"size":>9} {"softmax":>16} {"fast":>16}')
    for channels, (softmax, fast) in FANET.items():
        ours = [attention(kind, channels, 128, 256)
                for kind in ('SoftmaxSelfAttention', 'FastAttention')]
        print(f'{channels:5} {"128x256":>9} {ours[0]:9.1f} ({softmax:4}) '
              f'{ours[1]:9.2f} ({fast:4})')
    for height in (32, 64, 256):
        ours = [attention(kind, 128, height, 2 * height)
                for kind in ('SoftmaxSelfAttention', 'FastAttention')]
        print(f'{128:5} {f"{height}x{2 * height}":>9} {ours[0]:9.1f} {"":6} '
              f'{ours[1]:9.2f}')


def rtformer() -> None:
    """Print RTFormer's parameters and costs."""
    print('RTFormer: parameters at test, M; multiply-adds, G (paper)')
    for name, size, parameters, flops in RTFORMER:
        cfg = load_config(name).model
        for part in (cfg.backbone, cfg.decode_head):
            part.init_cfg = None
            part.norm_cfg.type = 'BN'
        network = nn.Sequential(
            MODELS.build(cfg.backbone), MODELS.build(cfg.decode_head))
        count = sum(p.numel() for p in network.parameters()) / 1e6
        cost = giga(network, 1, 3, *size)
        print(f'{name:50} {size[0]}x{size[1]} {count:7.3f} ({parameters}) '
              f'{cost:7.2f}' + (f' ({flops})' if flops else ''))


def main(args: Optional[list] = None) -> None:
    """Entry point."""
    argparse.ArgumentParser(description=__doc__).parse_args(args)
    with FakeTensorMode():  # shapes without numbers
        fanet()
        rtformer()


if __name__ == '__main__':
    main()
