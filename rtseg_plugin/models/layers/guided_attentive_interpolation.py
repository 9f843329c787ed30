from typing import Optional, Sequence, Tuple

import torch
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from .conv_norm_act import conv_norm_act


def check_features(name: str, guide: Tensor, semantic: Tensor,
                   guide_channels: int, channels: int) -> None:
    """Raise ValueError if the inputs of an interpolation do not fit it."""
    for role, feature, expected in (('guide', guide, guide_channels),
                                    ('semantic', semantic, channels)):
        if feature.dim() != 4 or feature.shape[1] != expected:
            raise ValueError(
                f'{name}: {role} must have the shape (N, {expected}, H, W), '
                f'got {tuple(feature.shape)}')
    if len(guide) != len(semantic):
        raise ValueError(f'{name}: guide and semantic must be of one batch, '
                         f'got {len(guide)} and {len(semantic)} images')


@MODELS.register_module()
class BilinearInterpolation(BaseModule):
    """Bilinear interpolation in the frame of GAI; the guide gives the size.

    With U the semantic feature resized to the size of the guide and V a 1x1
    convolution of U, the output is act(norm(conv [V ; U])). The reference of
    the ablations (``ATTN_TYPE`` "BL"), and the base of the attentive forms,
    which replace V in :meth:`attend`.

    Paper: `Cross-Layer Attentive Feature Upsampling for Low-latency Semantic
    Segmentation <https://arxiv.org/abs/2601.01167>`_ (GAIN). Official
    repository: hustvl/simpleseg (no licence file).

    A 1x1 convolution and a bilinear resize commute, so whatever is linear in
    U is computed at the resolution of the semantic feature and resized after.

    Args:
        channels (int): Channels C of the semantic feature and the output.
        guide_channels (int, optional): Channels of the guide. Defaults to
            ``channels``.
        attention_channels (int, optional): Channels of V. Defaults to C / 2.
        norm_cfg (dict): Norm of the output. Defaults to dict(type='BN').
        act_cfg (dict): Activation of the output. Defaults to
            dict(type='ReLU').
        align_corners (bool): Of the resize. Defaults to False.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation.
    """

    def __init__(self,
                 channels: int,
                 guide_channels: Optional[int] = None,
                 attention_channels: Optional[int] = None,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'),
                 align_corners: bool = False,
                 init_cfg: dict = None):
        super().__init__(init_cfg)
        self.channels = channels
        self.guide_channels = guide_channels or channels
        self.attention_channels = attention_channels or max(channels // 2, 1)
        self.align_corners = align_corners
        self.value_conv = nn.Conv2d(channels, self.attention_channels, 1)
        self.bottleneck = conv_norm_act(
            self.attention_channels + channels,
            channels,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg)

    def _resize(self, x: Tensor, size: Sequence[int]) -> Tensor:
        return resize(
            x, size=size, mode='bilinear', align_corners=self.align_corners)

    def _value_and_skip(self, semantic: Tensor,
                        size: Sequence[int]) -> Tuple[Tensor, Tensor]:
        """V and the share of U in the bottleneck's convolution, resized."""
        fuse = self.bottleneck[0]
        weight = torch.cat([
            self.value_conv.weight, fuse.weight[:, self.attention_channels:]
        ])
        bias = F.pad(self.value_conv.bias, (0, fuse.out_channels))
        both = self._resize(F.conv2d(semantic, weight, bias), size)
        return both.split([self.attention_channels, fuse.out_channels], dim=1)

    def attend(self, guide: Tensor, semantic: Tensor,
               value: Tensor) -> Tensor:
        """The feature that takes the place of V; here V itself.

        Args:
            guide (Tensor): Of shape (N, guide_channels, H, W).
            semantic (Tensor): Of shape (N, channels, h, w).
            value (Tensor): V, of shape (N, attention_channels, H, W).

        Returns:
            Tensor: Of the shape of ``value``.
        """
        return value

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
        value, skip = self._value_and_skip(semantic, guide.shape[2:])
        attended = self.attend(guide, semantic, value)
        conv, norm, act = self.bottleneck
        out = F.conv2d(attended, conv.weight[:, :self.attention_channels],
                       conv.bias)
        # in this order: the sum has the memory format of its first term
        return act(norm(skip + out))


@MODELS.register_module()
class GuidedAttentiveInterpolation(BilinearInterpolation):
    """Guided attentive interpolation (GAI).

    Queries come from the resized semantic feature and the guide, [U ; L],
    keys and values from V; what attention makes of V takes its place. The
    defaults, two passes of criss-cross attention, are ``ATTN_TYPE`` "CC" of
    the official code, which all published configurations have, and at
    ``channels=128`` GAIN's (54 737 parameters).

    Paper: `Cross-Layer Attentive Feature Upsampling for Low-latency Semantic
    Segmentation <https://arxiv.org/abs/2601.01167>`_ (GAIN). Official
    repository: hustvl/simpleseg (no licence file). The paper's summary has
    queries of the high-resolution feature alone and a full pairwise affinity;
    this follows the code. The other form is
    :class:`GuideQueryInterpolation` with
    ``attention=dict(type='GuidedDenseAttention')``.

    Args:
        channels (int): Channels C of the semantic feature and the output.
        guide_channels (int, optional): Channels of the guide. Defaults to
            ``channels``.
        attention_channels (int, optional): Channels of Q and V. Defaults to
            C / 2.
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
                 attention_channels: Optional[int] = None,
                 attention: dict = dict(type='GuidedCrissCrossAttention'),
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'),
                 align_corners: bool = False,
                 init_cfg: dict = None):
        super().__init__(channels, guide_channels, attention_channels,
                         norm_cfg, act_cfg, align_corners, init_cfg)
        self.query_conv = nn.Conv2d(self._query_channels(),
                                    self.attention_channels, 1)
        defaults = dict(
            channels=self.attention_channels,
            qk_channels=max(channels // 16, 1))
        self.attention = MODELS.build({**defaults, **attention})

    def _query_channels(self) -> int:
        return self.channels + self.guide_channels

    def query(self, guide: Tensor, semantic: Tensor) -> Tensor:
        """Q, a 1x1 convolution of [U ; L], of shape (N, A, H, W)."""
        weight, bias = self.query_conv.weight, self.query_conv.bias
        of_semantic = F.conv2d(semantic, weight[:, :self.channels])
        of_guide = F.conv2d(guide, weight[:, self.channels:], bias)
        return of_guide + self._resize(of_semantic, guide.shape[2:])

    def attend(self, guide: Tensor, semantic: Tensor,
               value: Tensor) -> Tensor:
        """V after attention, of the shape of ``value``."""
        return self.attention(self.query(guide, semantic), value)


@MODELS.register_module()
class GuideQueryInterpolation(GuidedAttentiveInterpolation):
    """GAI with queries of the guide alone (``ATTN_TYPE`` "CC-B").

    The form that the text of the paper describes. Arguments as
    :class:`GuidedAttentiveInterpolation`.
    """

    def _query_channels(self) -> int:
        return self.guide_channels

    def query(self, guide: Tensor, semantic: Tensor) -> Tensor:
        """Q, a 1x1 convolution of the guide, of shape (N, A, H, W)."""
        return self.query_conv(guide)


@MODELS.register_module()
class SemanticQueryInterpolation(GuidedAttentiveInterpolation):
    """GAI with queries of the resized feature alone (``ATTN_TYPE`` "CC-C").

    The guide gives nothing but the size. Arguments as
    :class:`GuidedAttentiveInterpolation`.
    """

    def _query_channels(self) -> int:
        return self.channels

    def query(self, guide: Tensor, semantic: Tensor) -> Tensor:
        """Q, a 1x1 convolution of U, of shape (N, A, H, W)."""
        return self._resize(self.query_conv(semantic), guide.shape[2:])
