import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


def float32_matmul(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product in float32 at least, also under autocast.

    For energies without a scale, which leave the range of float16.
    """
    if a.dtype in (torch.float16, torch.bfloat16):
        a, b = a.float(), b.float()
    if torch.is_autocast_enabled(a.device.type):
        with torch.autocast(a.device.type, enabled=False):
            return torch.matmul(a, b)
    return torch.matmul(a, b)


@MODELS.register_module()
class GuidedCrissCrossAttention(BaseModule):
    """Criss-cross attention whose queries come from another feature.

    Each position attends to its column, without itself, and its row, with
    itself: ``H + W - 1`` positions, one softmax, no scale. After two passes
    with the same weights every position has seen every other.

    Part of `GAIN <https://arxiv.org/abs/2601.01167>`_, after `CCNet
    <https://arxiv.org/abs/1811.11721>`_. Official repository:
    hustvl/simpleseg (no licence file), whose module this follows. mmcv's
    ``CrissCrossAttention`` gives the same numbers where query and value are
    one feature, but takes no second one, so it cannot serve.

    Batched matrix products over rows and over columns; the largest tensor has
    ``N * H * W * (H + W)`` elements. Energies and softmax stay in float32
    when the features are in half precision.

    Args:
        channels (int): Channels C of both features.
        qk_channels (int): Channels of queries and keys. Defaults to 8.
        recurrence (int): Passes with the same weights and queries. Defaults
            to 2.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation
            and ``gamma`` 0, with which the layer returns its values.
    """

    def __init__(self,
                 channels: int,
                 qk_channels: int = 8,
                 recurrence: int = 2,
                 init_cfg: dict = None):
        super().__init__(init_cfg)
        if recurrence < 1:
            raise ValueError(f'recurrence is at least 1, got {recurrence}')
        self.recurrence = recurrence
        self.query_conv = nn.Conv2d(channels, qk_channels, 1)
        self.key_conv = nn.Conv2d(channels, qk_channels, 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def attention(self, query: Tensor, key: Tensor) -> Tensor:
        """Softmax weights of each position over its column and its row.

        Args:
            query (Tensor): Of shape (H, N, W, K): with the rows first, rows
                and columns of a batch are both strided batches of matrices,
                and no product copies its operands.
            key (Tensor): Of the same shape.

        Returns:
            Tensor: Of shape (H, N, W, H + W), float32 at least: the column
            from above, then the row from the left.
        """
        h = query.shape[0]
        # (N, W, H, K) x (N, W, K, H) -> (N, W, H, H)
        column = float32_matmul(
            query.permute(1, 2, 0, 3), key.permute(1, 2, 3, 0))
        itself = torch.eye(h, dtype=torch.bool, device=query.device)
        column = column.masked_fill_(itself, float('-inf'))
        # (H, N, W, K) x (H, N, K, W) -> (H, N, W, W)
        row = float32_matmul(query, key.transpose(2, 3))
        # (N, W, H, H) -> (H, N, W, H)
        energy = torch.cat([column.permute(2, 0, 1, 3), row], dim=3)
        return energy.softmax(dim=3)

    def forward(self, query: Tensor, value: Tensor) -> Tensor:
        """Attend ``recurrence`` times.

        Args:
            query (Tensor): Feature that asks, of shape (N, C, H, W).
            value (Tensor): Feature that keys and values come from, of the
                same shape.

        Returns:
            Tensor: ``value`` plus ``gamma`` times what was read, of the same
            shape.

        Raises:
            ValueError: If the shapes differ.
        """
        if query.shape != value.shape:
            raise ValueError(
                'query and value must have one shape, got '
                f'{tuple(query.shape)} and {tuple(value.shape)}')
        h = value.shape[2]
        # (N, K, H, W) -> (H, N, W, K); a copy of what is small here saves one
        # per column below
        query = self.query_conv(query).permute(2, 0, 3, 1).contiguous()
        value = value.permute(2, 0, 3, 1).contiguous()
        # Keys and values in one product; gamma goes into the weights of the
        # values, which are few.
        weight = torch.cat(
            [self.key_conv.weight, self.gamma * self.value_conv.weight])
        bias = torch.cat(
            [self.key_conv.bias, self.gamma * self.value_conv.bias])
        sizes = [self.key_conv.out_channels, self.value_conv.out_channels]
        for _ in range(self.recurrence):
            key, read = F.linear(value, weight.flatten(1),
                                 bias).split(sizes, dim=3)
            attention = self.attention(query, key).to(read.dtype)
            # (H, N, W, W) x (H, N, W, C) -> (H, N, W, C)
            value = value + attention[..., h:] @ read
            # (N, W, H, H) x (N, W, H, C) -> (N, W, H, C)
            column = attention[..., :h].permute(
                1, 2, 0, 3) @ read.permute(1, 2, 0, 3)
            value = value + column.permute(2, 0, 1, 3)
        return value.permute(1, 3, 0, 2)
