from typing import Optional, Tuple

import torch
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .pre_norm_attention import PreNormAttention


@MODELS.register_module()
class LinformerAttention(PreNormAttention):
    """Self-attention with keys and values projected to a fixed number.

    `Linformer <https://arxiv.org/abs/2006.04768>`_, the LA of Table 8 of
    `RTFormer <https://arxiv.org/abs/2210.07124>`_. Linformer's projections
    fit one sequence length only. Here they are maps of the training size,
    interpolated to the size at hand and rescaled by the ratio of the areas,
    so that a sum over pixels stays comparable: any size runs, and the
    training size is exactly Linformer.

    Args:
        in_channels (int): See :class:`PreNormAttention`.
        out_channels (int, optional): See :class:`PreNormAttention`.
        stride (int): See :class:`PreNormAttention`.
        num_heads (int): Number of heads, which share the projections.
            Defaults to 8.
        num_tokens (int): Projected keys and values; 256 is Linformer's own
            default, which the RTFormer paper kept. Defaults to 256.
        size (tuple[int, int]): Height and width of the output at the training
            size. Defaults to (16, 16): 512x512 at stride 32.
        norm_cfg (dict): See :class:`PreNormAttention`.

    Raises:
        ValueError: If ``num_heads`` does not divide the channels.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: Optional[int] = None,
                 stride: int = 1,
                 num_heads: int = 8,
                 num_tokens: int = 256,
                 size: Tuple[int, int] = (16, 16),
                 norm_cfg: dict = dict(type='BN')):
        super().__init__(in_channels, out_channels, stride, norm_cfg)
        self._check_heads(num_heads)
        self.num_heads = num_heads
        self.size = tuple(size)
        self.qkv = nn.Conv2d(self.channels, 3 * self.channels, 1)
        self.out = nn.Conv2d(self.channels, self.channels, 1)
        # projections of the keys and of the values: (2, tokens, height, width)
        self.projections = nn.Parameter(torch.empty(2, num_tokens, *self.size))
        self._init_projections()

    def _init_projections(self) -> None:
        area = self.size[0] * self.size[1]
        nn.init.normal_(self.projections, std=area**-0.5)

    def init_weights(self) -> None:
        """Initialise; the projections preserve the variance."""
        super().init_weights()
        self._init_projections()

    def _projections(self, height: int, width: int) -> Tensor:
        """The projections for one size: (2, tokens, pixels)."""
        maps = resize(
            self.projections,
            size=(height, width),
            mode='bilinear',
            align_corners=False)
        area = self.size[0] * self.size[1]
        return maps.flatten(2) * (area / (height * width))

    def attend(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        for_keys, for_values = self._projections(*x.shape[2:])
        # 3 x (N, C, pixels)
        queries, keys, values = self.qkv(x).flatten(2).chunk(3, dim=1)
        # (N, heads, pixels, C / heads)
        queries = queries.unflatten(1, (self.num_heads, -1)).transpose(2, 3)
        # (tokens, pixels) x (N, pixels, C) -> (N, heads, tokens, C / heads)
        keys, values = ((weight @ tensor.transpose(1, 2)).unflatten(
            2, (self.num_heads, -1)).transpose(1, 2)
                        for weight, tensor in ((for_keys, keys), (for_values,
                                                                  values)))
        read = F.scaled_dot_product_attention(queries, keys, values)
        # (N, heads, C / heads, pixels) -> (N, C, H, W)
        return self.out(read.transpose(2, 3).reshape(x.shape))
