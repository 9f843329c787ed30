from typing import Optional

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..pooling import bin_means
from .pre_norm_attention import PreNormAttention


def iterative_pinv(matrix: Tensor, iterations: int = 6) -> Tensor:
    """Approximate Moore-Penrose inverse by the iteration of Nystromformer.

    Args:
        matrix (Tensor): Square matrices, (..., M, M), rows summing to one.
        iterations (int): Third-order steps. Defaults to 6.

    Returns:
        Tensor: Inverses of the same shape.
    """
    identity = torch.eye(
        matrix.shape[-1], device=matrix.device, dtype=matrix.dtype)
    # a start with which the iteration converges, for each matrix by itself
    norms = matrix.abs().sum(-2).amax(-1) * matrix.abs().sum(-1).amax(-1)
    inverse = matrix.transpose(-1, -2) / norms[..., None, None]
    for _ in range(iterations):
        product = matrix @ inverse
        inner = 15 * identity - product @ (7 * identity - product)
        inverse = 0.25 * inverse @ (13 * identity - product @ inner)
    return inverse


@MODELS.register_module()
class NystromAttention(PreNormAttention):
    """Self-attention reconstructed from a few landmarks.

    `Nystromformer <https://arxiv.org/abs/2102.03902>`_, the NA of Table 8 of
    `RTFormer <https://arxiv.org/abs/2210.07124>`_. Landmarks are means of
    segments of the pixels in row order; where their number does not divide
    the pixels, neighbouring segments share one, so that any size runs.

    Args:
        in_channels (int): See :class:`PreNormAttention`.
        out_channels (int, optional): See :class:`PreNormAttention`.
        stride (int): See :class:`PreNormAttention`.
        num_heads (int): Number of heads. Defaults to 8.
        num_landmarks (int): Number of landmarks. Defaults to 32.
        kernel_size (int): Odd length of the convolution over the values, one
            filter per head, that Nystromformer adds; 0 leaves it out.
            Defaults to 33.
        norm_cfg (dict): See :class:`PreNormAttention`.

    Raises:
        ValueError: If ``num_heads`` does not divide the channels or
            ``kernel_size`` is even.
    """

    def __init__(self,
                 in_channels: int,
                 out_channels: Optional[int] = None,
                 stride: int = 1,
                 num_heads: int = 8,
                 num_landmarks: int = 32,
                 kernel_size: int = 33,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__(in_channels, out_channels, stride, norm_cfg)
        self._check_heads(num_heads)
        self.num_heads = num_heads
        self.num_landmarks = num_landmarks
        self.qkv = nn.Conv2d(self.channels, 3 * self.channels, 1)
        self.out = nn.Conv2d(self.channels, self.channels, 1)
        self.mix = None
        if kernel_size:
            if kernel_size % 2 == 0:
                raise ValueError(f'kernel_size must be odd or 0, got '
                                 f'{kernel_size}')
            self.mix = nn.Conv2d(
                num_heads,
                num_heads, (1, kernel_size),
                padding=(0, kernel_size // 2),
                groups=num_heads,
                bias=False)

    def _segments(self, x: Tensor) -> Tensor:
        """Averaging weights, (pixels, landmarks)."""
        pixels = x.shape[2] * x.shape[3]
        return bin_means(pixels, self.num_landmarks, x).t()

    def attend(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        # 3 x (N, heads, C / heads, pixels)
        queries, keys, values = self.qkv(x).flatten(2).unflatten(
            1, (3, self.num_heads, -1)).unbind(1)
        queries = queries * queries.shape[2]**-0.5
        segments = self._segments(x)
        # (N, heads, C / heads, landmarks)
        queries_mean, keys_mean = queries @ segments, keys @ segments
        # (pixels, landmarks), (landmarks, landmarks), (landmarks, pixels)
        to_landmarks = (queries.transpose(2, 3) @ keys_mean).softmax(-1)
        between = (queries_mean.transpose(2, 3) @ keys_mean).softmax(-1)
        from_landmarks = (queries_mean.transpose(2, 3) @ keys).softmax(-1)
        # (landmarks, C / heads), the small side first
        read = iterative_pinv(between) @ (
            from_landmarks @ values.transpose(2, 3))
        # (N, heads, C / heads, pixels)
        read = (to_landmarks @ read).transpose(2, 3)
        if self.mix is not None:
            read = read + self.mix(values)
        return self.out(read.reshape(x.shape))
