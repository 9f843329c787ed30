from typing import Sequence, Tuple

from mmcv.cnn.bricks import DropPath
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from ..conv_ffn import ConvFFN
from .convolutional_attention import ConvolutionalAttention


@MODELS.register_module()
class CFBlock(BaseModule):
    """Conv-Former block of SCTNet: a transformer block of convolutions.

    ``y = x + attention(x)``, then ``y + ffn(y)``, both pre-norm, with drop
    path. Paper: `SCTNet <https://arxiv.org/abs/2312.17071>`_, figure 4;
    official repository: xzz777/SCTNet (MIT). The paper puts the norms behind
    the sums; this follows the official code.

    Args:
        channels (int): Channels of input and output.
        drop_path_rate (float): Chance to drop each of the two residual
            branches per sample. Defaults to 0.
        num_kernels (int): See :class:`ConvolutionalAttention`.
        groups (int): See :class:`ConvolutionalAttention`.
        kernel_shapes (Sequence[tuple[int, int]]): See
            :class:`ConvolutionalAttention`; the rows of Table 8.
        norm_cfg (dict): Norm layers; the one of the feed-forward part gets
            eps 1e-6. Defaults to dict(type='BN').
    """

    def __init__(self,
                 channels: int,
                 drop_path_rate: float = 0.,
                 num_kernels: int = 64,
                 groups: int = 8,
                 kernel_shapes: Sequence[Tuple[int, int]] = ((7, 1), (1, 7)),
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        self.attn = ConvolutionalAttention(channels, num_kernels, groups,
                                           kernel_shapes, norm_cfg)
        self.ffn = ConvFFN(channels, dict(norm_cfg, eps=1e-6))
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        x = x + self.drop_path(self.attn(x))
        return x + self.drop_path(self.ffn(x))
