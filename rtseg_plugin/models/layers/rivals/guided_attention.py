"""Rivals of criss-cross attention, with its interface."""
import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..precision import float32_at_least


def sampling_positions(h: int, w: int, like: Tensor) -> Tensor:
    """(x, y) of each position, -1 to 1 inclusive, of shape (H, W, 2)."""
    # torch.linspace does not export with a symbolic number of steps
    y = torch.arange(h, device=like.device, dtype=like.dtype)
    x = torch.arange(w, device=like.device, dtype=like.dtype)
    y = y * (2 / max(h - 1, 1)) - 1
    x = x * (2 / max(w - 1, 1)) - 1
    return torch.stack(torch.meshgrid(x, y, indexing='xy'), dim=-1)


@MODELS.register_module()
class GuidedDenseAttention(BaseModule):
    """Attention to all positions, queries from another feature.

    The "full pairwise" affinity of the summary of `GAIN
    <https://arxiv.org/abs/2601.01167>`_, with a scale, in one pass. Its cost
    grows with the square of the number of pixels: a reference.

    The host's ``SelfAttentionBlock`` can do this too but holds the HW x HW
    map; ``scaled_dot_product_attention`` need not.

    Args:
        channels (int): Channels C of both features.
        qk_channels (int): Channels of queries and keys, whose energies are
            scaled by its inverse root. Defaults to 8.
        recurrence (int): Passes with the same weights. Defaults to 1.
    """

    def __init__(self,
                 channels: int,
                 qk_channels: int = 8,
                 recurrence: int = 1):
        super().__init__()
        if recurrence < 1:
            raise ValueError(f'recurrence is at least 1, got {recurrence}')
        self.recurrence = recurrence
        self.query_conv = nn.Conv2d(channels, qk_channels, 1)
        self.key_conv = nn.Conv2d(channels, qk_channels, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, query: Tensor, value: Tensor) -> Tensor:
        """(N, C, H, W) twice -> (N, C, H, W), ``value`` included."""

        def positions(x: Tensor) -> Tensor:
            return x.flatten(2).transpose(1, 2)  # (N, HW, channels)

        query = positions(self.query_conv(query))
        for _ in range(self.recurrence):
            read = F.scaled_dot_product_attention(
                query, positions(self.key_conv(value)),
                positions(self.value_conv(value)))
            value = value + self.gamma * self._as_map(read, value)
        return value

    @staticmethod
    def _as_map(read: Tensor, like: Tensor) -> Tensor:
        return read.transpose(1, 2).reshape(like.shape)  # (N, HW, C) -> NCHW


@MODELS.register_module()
class OfficialDenseAttention(GuidedDenseAttention):
    """:class:`GuidedDenseAttention` with the slip of GAIN's official code.

    There what was read, (N, HW, C), is taken for (N, C, H, W) as it lies in
    memory, without a transpose, which scatters it over channels and
    positions. For official weights and numbers ("NL"); arguments as
    :class:`GuidedDenseAttention`.
    """

    @staticmethod
    def _as_map(read: Tensor, like: Tensor) -> Tensor:
        return read.reshape(like.shape)


@MODELS.register_module()
class GuidedSampledAttention(BaseModule):
    """Attention to a few sampled points, queries from another feature.

    A 3x3 convolution of the queries' feature places the points of each
    position relative to it; keys and values are of the sampled values.

    The official code adds its offsets to a (y, x) grid which it then reads as
    (x, y), so that it samples transposed; this does the same, and at the
    borders its offsets read zeros.

    Args:
        channels (int): Channels C of both features.
        qk_channels (int): Channels of queries and keys. Defaults to 8.
        points (int): Points per position. Defaults to 32.
    """

    def __init__(self, channels: int, qk_channels: int = 8, points: int = 32):
        super().__init__()
        self.points = points
        self.scale = channels**-0.5
        self.offset = nn.Conv2d(channels, 2 * points, 3, padding=1)
        self.query = nn.Conv2d(channels, qk_channels, 1)
        self.key = nn.Linear(channels, qk_channels)
        self.value = nn.Linear(channels, channels)
        self.proj = nn.Linear(channels, channels)
        nn.init.zeros_(self.offset.weight)
        nn.init.uniform_(self.offset.bias, -1, 1)

    def forward(self, query: Tensor, value: Tensor) -> Tensor:
        """(N, C, H, W) twice -> (N, C, H, W), ``value`` not included."""
        n, c, h, w = value.shape
        # (N, 2P, H, W) -> (N, HW, P, 2), each point (along H, along W)
        # places in half precision would be off by up to half a pixel
        offset = float32_at_least(self.offset(query))
        offset = offset.view(n, self.points, 2, h * w)
        offset = offset.permute(0, 3, 1, 2) / offset.new_tensor([h, w])
        position = sampling_positions(h, w, offset).flip(2)  # (y, x)
        grid = position.view(1, h * w, 1, 2) + offset
        # Sampling is linear, so the projections go before it, where there
        # are fewer positions; their biases stay behind, for the zeros that
        # are sampled outside.
        weight = torch.cat([self.key.weight, self.value.weight])
        projected = F.conv2d(value, weight[:, :, None, None])
        # (N, K + C, HW, P)
        sampled = F.grid_sample(
            projected.to(grid.dtype), grid, align_corners=False)
        key, read = sampled.split([len(self.key.weight), c], dim=1)
        key = key + self.key.bias[:, None, None]
        energy = (self.query(query).flatten(2).unsqueeze(3) * key).sum(dim=1)
        attention = (self.scale * energy).softmax(dim=2)  # (N, HW, P)
        read = torch.einsum('nip,ncip->nic', attention, read)
        read = self.proj(read + self.value.bias)
        return read.transpose(1, 2).reshape(n, c, h, w)
