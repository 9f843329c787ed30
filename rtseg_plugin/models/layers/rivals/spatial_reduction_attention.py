from typing import Optional

from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .pre_norm_attention import PreNormAttention


@MODELS.register_module()
class SpatialReductionAttention(PreNormAttention):
    """Self-attention whose keys and values come from a reduced map.

    The one of `SegFormer <https://arxiv.org/abs/2105.15203>`_, on maps
    instead of the host's sequences; the SA of Tables 5a and 8 of `RTFormer
    <https://arxiv.org/abs/2210.07124>`_, which reduces by 4 at stride 8 and
    not at all at stride 32.

    Args:
        in_channels (int): See :class:`PreNormAttention`.
        out_channels (int, optional): See :class:`PreNormAttention`.
        stride (int): See :class:`PreNormAttention`.
        num_heads (int): Number of heads. Defaults to 8.
        reduction (int): How much smaller keys and values are, per side.
            Defaults to 1.
        norm_cfg (dict): See :class:`PreNormAttention`.

    Raises:
        ValueError: If ``num_heads`` does not divide the channels.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: Optional[int] = None,
                 stride: int = 1,
                 num_heads: int = 8,
                 reduction: int = 1,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__(in_channels, out_channels, stride, norm_cfg)
        self._check_heads(num_heads)
        channels = self.channels
        self.num_heads = num_heads
        self.reduction = reduction
        self.q = nn.Conv2d(channels, channels, 1)
        self.kv = nn.Linear(channels, 2 * channels)
        self.out = nn.Conv2d(channels, channels, 1)
        self.reduce = None
        if reduction > 1:
            self.reduce = nn.Conv2d(
                channels, channels, reduction, stride=reduction)
            self.reduce_norm = nn.LayerNorm(channels)

    def _tokens(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, tokens, C), reduced."""
        if self.reduce is None:
            return x.flatten(2).transpose(1, 2)
        # whole windows only, so that no border is dropped
        height, width = x.shape[2:]
        x = F.pad(x, (0, -width % self.reduction, 0, -height % self.reduction))
        return self.reduce_norm(self.reduce(x).flatten(2).transpose(1, 2))

    def attend(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        # (N, heads, pixels, C / heads)
        queries = self.q(x).flatten(2).unflatten(
            1, (self.num_heads, -1)).transpose(2, 3)
        # (N, tokens, 2, heads, C / heads) -> 2 x (N, heads, tokens, C/heads)
        keys, values = self.kv(self._tokens(x)).unflatten(
            2, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        read = F.scaled_dot_product_attention(queries, keys, values)
        # (N, heads, C / heads, pixels) -> (N, C, H, W)
        return self.out(read.transpose(2, 3).reshape(x.shape))
