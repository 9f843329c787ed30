from typing import Sequence, Tuple

import torch
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ..grouped_double_normalization import grouped_double_normalization


class ConvolutionalAttention(BaseModule):
    """Attention of an image to learnable kernels, by convolutions only.

    Each kernel shape is a branch: a convolution compares the normalised input
    with ``num_kernels`` learnable kernels, grouped double normalisation turns
    the similarities into attention, and a second convolution with the same
    kernels, their two channel axes swapped, reads the values. The branches
    are added. The second convolution is again a plain cross-correlation: the
    kernels are not flipped, so a transposed convolution is something else.

    Paper: `SCTNet <https://arxiv.org/abs/2312.17071>`_, equation 2. Official
    repository: xzz777/SCTNet (MIT). The official kernels stay exactly zero at
    the start by an oversight, and from zero all kernels of a branch stay
    equal for ever; here they get the truncated normal that was meant.

    Args:
        channels (int): Channels C of input and output.
        num_kernels (int): Learnable kernels N per branch. Defaults to 64.
        groups (int): Groups of the second normalisation; divides
            ``num_kernels``. Defaults to 8.
        kernel_shapes (Sequence[tuple[int, int]]): Height and width of the
            kernels of each branch, all odd. Defaults to ((7, 1), (1, 7)).
        norm_cfg (dict): Norm of the input. Defaults to dict(type='BN').

    Raises:
        ValueError: If ``groups`` does not divide ``num_kernels`` or a kernel
            side is even.
    """

    def __init__(self,
                 channels: int,
                 num_kernels: int = 64,
                 groups: int = 8,
                 kernel_shapes: Sequence[Tuple[int, int]] = ((7, 1), (1, 7)),
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        if num_kernels % groups:
            raise ValueError(f'groups ({groups}) must divide num_kernels '
                             f'({num_kernels})')
        if any(side % 2 == 0 for shape in kernel_shapes for side in shape):
            raise ValueError('kernel_shapes must have odd sides, got '
                             f'{kernel_shapes}')
        self.groups = groups
        self.norm = build_norm_layer(norm_cfg, channels)[1]
        self.kernels = nn.ParameterList(
            nn.Parameter(torch.empty(num_kernels, channels, *shape))
            for shape in kernel_shapes)
        for kernel in self.kernels:
            nn.init.trunc_normal_(kernel, std=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Attend.

        Args:
            x (Tensor): Feature of shape (N, C, H, W).

        Returns:
            Tensor: The read values, of the same shape; no residual.
        """
        x = self.norm(x)
        out = None
        for kernel in self.kernels:
            padding = (kernel.shape[2] // 2, kernel.shape[3] // 2)
            energy = F.conv2d(x, kernel, padding=padding)
            attention = grouped_double_normalization(energy, self.groups)
            read = F.conv2d(
                attention, kernel.transpose(0, 1), padding=padding)
            out = read if out is None else out + read
        return out
