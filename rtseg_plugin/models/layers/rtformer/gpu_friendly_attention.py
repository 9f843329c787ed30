from typing import Optional

import torch
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..grouped_double_normalization import grouped_double_normalization


@MODELS.register_module()
class GPUFriendlyAttention(BaseModule):
    """GPU-Friendly attention (GFA): external attention in one piece.

    Learnable keys compare themselves with every pixel, grouped double
    normalisation turns that into attention, learnable values are read. The
    groups take the place of heads, without splitting the matrix products.

    Paper: `RTFormer <https://arxiv.org/abs/2210.07124>`_, equation 3.
    Official repository: PaddlePaddle/PaddleSeg (Apache-2.0). The defaults are
    the low-resolution branch of the published networks. The interface is the
    one of :class:`.PreNormAttention`, except that a stride or a change of
    width costs nothing extra: the keys do it, as in the official code.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int, optional): Channels of the output. Defaults to
            None: those of the input.
        stride (int): Stride of the comparison with the keys. Defaults to 1.
        groups (int): Groups of the second normalisation; 1 is plain double
            normalisation. Defaults to 8.
        num_keys (int, optional): Learnable keys and values. Defaults to None:
            ``out_channels``.
        norm_cfg (dict): Norm of the input. Defaults to dict(type='BN').

    Raises:
        ValueError: If ``groups`` does not divide the number of keys.
    """
    cross = False

    def __init__(self,
                 in_channels: int,
                 out_channels: Optional[int] = None,
                 stride: int = 1,
                 groups: int = 8,
                 num_keys: Optional[int] = None,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        out_channels = out_channels or in_channels
        num_keys = num_keys or out_channels
        if groups < 1 or num_keys % groups:
            raise ValueError(f'groups ({groups}) must divide the number of '
                             f'keys ({num_keys})')
        self.stride = stride
        self.groups = groups
        self.norm = build_norm_layer(norm_cfg, in_channels)[1]
        self.k = nn.Parameter(torch.empty(num_keys, in_channels, 1, 1))
        self.v = nn.Parameter(torch.empty(out_channels, num_keys, 1, 1))
        self._init_keys()

    def _init_keys(self) -> None:
        nn.init.normal_(self.k, std=0.001)
        nn.init.normal_(self.v, std=0.001)

    def init_weights(self) -> None:
        """Initialise as the official code: normal, deviation 0.001."""
        super().init_weights()
        self._init_keys()

    def forward(self, x: Tensor) -> Tensor:
        """Attend.

        Args:
            x (Tensor): Feature of shape (N, in_channels, H, W).

        Returns:
            Tensor: Shape (N, out_channels, ceil(H / stride), ceil(W /
            stride)); no residual.
        """
        energy = F.conv2d(self.norm(x), self.k, stride=self.stride)
        attention = grouped_double_normalization(energy, self.groups)
        return F.conv2d(attention, self.v)
