from typing import Optional

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..grouped_double_normalization import grouped_double_normalization
from .pre_norm_attention import PreNormAttention


@MODELS.register_module()
class MultiHeadExternalAttention(PreNormAttention):
    """External attention with heads that share their keys and values.

    `Beyond Self-attention <https://arxiv.org/abs/2105.02358>`_ as equations 1
    and 2 of `RTFormer <https://arxiv.org/abs/2210.07124>`_, the EA of its
    Tables 5a and 8: heads of d / num_heads channels, ``ratio`` * d keys, no
    projections.

    Args:
        in_channels (int): See :class:`PreNormAttention`.
        out_channels (int, optional): See :class:`PreNormAttention`.
        stride (int): See :class:`PreNormAttention`.
        num_heads (int): Number of heads. Defaults to 8.
        ratio (float): Number of keys over the channels. Defaults to 1.
        norm_cfg (dict): See :class:`PreNormAttention`.

    Raises:
        ValueError: If ``num_heads`` does not divide the channels or ``ratio``
            leaves no key.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: Optional[int] = None,
                 stride: int = 1,
                 num_heads: int = 8,
                 ratio: float = 1.,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__(in_channels, out_channels, stride, norm_cfg)
        self._check_heads(num_heads)
        num_keys = round(ratio * self.channels)
        if num_keys < 1:
            raise ValueError(f'ratio ({ratio}) of {self.channels} channels '
                             'leaves no key')
        self.head_channels = self.channels // num_heads
        self.k = nn.Parameter(
            torch.empty(num_keys, self.head_channels, 1, 1))
        self.v = nn.Parameter(
            torch.empty(self.head_channels, num_keys, 1, 1))
        self._init_keys()

    def _init_keys(self) -> None:
        nn.init.normal_(self.k, std=0.001)
        nn.init.normal_(self.v, std=0.001)

    def init_weights(self) -> None:
        """Initialise keys and values as those of GFA."""
        super().init_weights()
        self._init_keys()

    def attend(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        # the heads share the parameters, so they are samples of a batch:
        # (N * heads, C / heads, H, W)
        heads = x.reshape(-1, self.head_channels, *x.shape[2:])
        energy = F.conv2d(heads, self.k)
        attention = grouped_double_normalization(energy, groups=1)
        return F.conv2d(attention, self.v).reshape(x.shape)
