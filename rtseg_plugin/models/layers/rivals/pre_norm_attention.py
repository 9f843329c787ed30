from abc import abstractmethod
from typing import Optional

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn


class PreNormAttention(BaseModule):
    """What the attentions over one feature have in common.

    ``forward(x)`` takes (N, in_channels, H, W) and returns (N, out_channels,
    H', W') without a residual; H' = ceil(H / stride). The norm of the input
    is part of it. Where width or stride change, a 1x1 convolution follows the
    norm: RTFormer's paper leaves unsaid how its rival attentions widen.
    Subclasses implement :meth:`attend`. Every such class can be the
    ``low_attention`` of :class:`.RTFormer`, and with unchanged width its
    ``high_attention``.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int, optional): Channels of the output. Defaults to
            None: those of the input.
        stride (int): Defaults to 1.
        norm_cfg (dict): Norm of the input. Defaults to dict(type='BN').

    Attributes:
        cross (bool): Whether ``forward`` takes the low-resolution feature as
            a second argument (:class:`.CrossResolutionAttention`); False.
    """
    cross = False

    def __init__(self,
                 in_channels: int,
                 out_channels: Optional[int] = None,
                 stride: int = 1,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        self.channels = out_channels or in_channels
        self.norm = build_norm_layer(norm_cfg, in_channels)[1]
        self.projection = None
        if stride != 1 or self.channels != in_channels:
            self.projection = nn.Conv2d(
                in_channels, self.channels, 1, stride=stride, bias=False)

    def _check_heads(self, num_heads: int) -> None:
        if num_heads < 1 or self.channels % num_heads:
            raise ValueError(f'num_heads ({num_heads}) must divide the '
                             f'channels ({self.channels})')

    def forward(self, x: Tensor) -> Tensor:
        """Attend; see the class."""
        x = self.norm(x)
        if self.projection is not None:
            x = self.projection(x)
        return self.attend(x)

    @abstractmethod
    def attend(self, x: Tensor) -> Tensor:
        """(N, C, H, W), normalised, to (N, C, H, W)."""
