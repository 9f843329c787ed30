from typing import Optional

import torch
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..conv_norm_act import conv_norm_act
from ..precision import float32_matmul
from ..tracing import is_tracing


def check_features(name: str, guide: Tensor, semantic: Tensor,
                   guide_channels: int, channels: int) -> None:
    """Raise ValueError if the inputs of an interpolation do not fit it."""
    if is_tracing(guide):
        return
    for role, feature, expected in (('guide', guide, guide_channels),
                                    ('semantic', semantic, channels)):
        if feature.dim() != 4 or feature.shape[1] != expected:
            raise ValueError(
                f'{name}: {role} must have the shape (N, {expected}, H, W), '
                f'got {tuple(feature.shape)}')
    # a length would be a constant of an exported graph
    if guide.shape[0] != semantic.shape[0]:
        raise ValueError(f'{name}: guide and semantic must be of one batch, '
                         f'got {guide.shape[0]} and {semantic.shape[0]} '
                         'images')


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
        # no torch.eye: the ONNX operator that tracing makes of a boolean one
        # is not in onnxruntime
        rows = torch.arange(h, device=query.device)
        itself = rows[:, None] == rows
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
        # (N, K, H, W) -> (H, N, W, K)
        query = self.query_conv(query).permute(2, 0, 3, 1)
        for _ in range(self.recurrence):
            key = self.key_conv(value).permute(2, 0, 3, 1)
            read = self.value_conv(value).permute(2, 0, 3, 1)
            attention = self.attention(query, key).to(read.dtype)
            # (H, N, W, W) x (H, N, W, C) -> (H, N, W, C)
            row = attention[..., h:] @ read
            # (N, W, H, H) x (N, W, H, C) -> (N, W, H, C)
            column = attention[..., :h].permute(
                1, 2, 0, 3) @ read.permute(1, 2, 0, 3)
            read = row + column.permute(2, 0, 1, 3)
            value = value + self.gamma * read.permute(1, 3, 0, 2)
        return value


class Interpolation(BaseModule):
    """What GAI and its rivals share: act(norm(conv [V ; U])).

    U is the semantic feature resized to the guide, V a 1x1 convolution of it
    to half the channels.

    Args:
        channels (int): Channels C of the semantic feature and the output.
        guide_channels (int, optional): Channels of the guide. Defaults to
            ``channels``.
        norm_cfg (dict): Norm of the output. Defaults to dict(type='BN').
        act_cfg (dict): Activation of the output. Defaults to
            dict(type='ReLU').
        align_corners (bool): Of the resize. Defaults to False.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation.
    """

    def __init__(self,
                 channels: int,
                 guide_channels: Optional[int] = None,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'),
                 align_corners: bool = False,
                 init_cfg: dict = None):
        super().__init__(init_cfg)
        self.channels = channels
        self.guide_channels = guide_channels or channels
        self.align_corners = align_corners
        middle = max(channels // 2, 1)
        self.value_conv = nn.Conv2d(channels, middle, 1)
        self.bottleneck = conv_norm_act(
            middle + channels, channels, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def value(self, guide: Tensor, resized: Tensor) -> Tensor:
        """V.

        Args:
            guide (Tensor): L, of shape (N, guide_channels, H, W).
            resized (Tensor): U, of shape (N, channels, H, W).

        Returns:
            Tensor: Of the same height and width.
        """
        return self.value_conv(resized)

    def forward(self, guide: Tensor, semantic: Tensor) -> Tensor:
        """Bring the semantic feature to the resolution of the guide.

        Args:
            guide (Tensor): Of shape (N, guide_channels, H, W).
            semantic (Tensor): Of shape (N, channels, h, w), any h and w.

        Returns:
            Tensor: Of shape (N, channels, H, W).

        Raises:
            ValueError: If the channels or the batches do not fit.
        """
        check_features(
            type(self).__name__, guide, semantic, self.guide_channels,
            self.channels)
        resized = resize(
            semantic,
            size=guide.shape[2:],
            mode='bilinear',
            align_corners=self.align_corners,
            warning=False)
        return self.bottleneck(
            torch.cat([self.value(guide, resized), resized], dim=1))


@MODELS.register_module()
class GuidedAttentiveInterpolation(Interpolation):
    """Guided attentive interpolation (GAI).

    With L the guide and U the semantic feature resized to its size: queries
    are a 1x1 convolution of [U ; L], keys and values come from V, a 1x1
    convolution of U, and the output is act(norm(conv [V' ; U])), where V' is
    what attention makes of V. The defaults, two passes of criss-cross
    attention, are ``ATTN_TYPE`` "CC" of the official code, which all
    published configurations have, and at ``channels=128`` GAIN's (54 737
    parameters).

    Paper: `Cross-Layer Attentive Feature Upsampling for Low-latency Semantic
    Segmentation <https://arxiv.org/abs/2601.01167>`_ (GAIN). Official
    repository: hustvl/simpleseg (no licence file). The paper's summary has
    queries of the high-resolution feature alone and a full pairwise affinity;
    this follows the code. The other form is
    :class:`.GuideQueryInterpolation` with
    ``attention=dict(type='GuidedDenseAttention')``.

    Args:
        channels (int): Channels C of the semantic feature and the output.
        guide_channels (int, optional): Channels of the guide. Defaults to
            ``channels``.
        attention (dict): Config of the attention, built with ``channels``
            (those of Q and V) and ``qk_channels`` (C / 16, unless it is
            given): :class:`.GuidedCrissCrossAttention`,
            :class:`.GuidedDenseAttention`, :class:`.GuidedSampledAttention`.
            Defaults to dict(type='GuidedCrissCrossAttention').
        norm_cfg (dict): Norm of the output. Defaults to dict(type='BN').
        act_cfg (dict): Activation of the output. Defaults to
            dict(type='ReLU').
        align_corners (bool): Of the resize. Defaults to False.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation.
            The attention starts with gamma 0: resize and convolutions.
    """

    def __init__(self,
                 channels: int,
                 guide_channels: Optional[int] = None,
                 attention: dict = dict(type='GuidedCrissCrossAttention'),
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'),
                 align_corners: bool = False,
                 init_cfg: dict = None):
        super().__init__(channels, guide_channels, norm_cfg, act_cfg,
                         align_corners, init_cfg)
        middle = self.value_conv.out_channels
        self.query_conv = nn.Conv2d(self._query_channels(), middle, 1)
        defaults = dict(channels=middle, qk_channels=max(channels // 16, 1))
        self.attention = MODELS.build({**defaults, **attention})

    def _query_channels(self) -> int:
        return self.channels + self.guide_channels

    def query(self, guide: Tensor, resized: Tensor) -> Tensor:
        """What queries are made of: [U ; L].

        Args:
            guide (Tensor): L, of shape (N, guide_channels, H, W).
            resized (Tensor): U, of shape (N, channels, H, W).

        Returns:
            Tensor: Of the same height and width.
        """
        return torch.cat([resized, guide], dim=1)

    def value(self, guide: Tensor, resized: Tensor) -> Tensor:
        """V', of the shape of V."""
        return self.attention(
            self.query_conv(self.query(guide, resized)),
            super().value(guide, resized))
