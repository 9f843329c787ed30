"""Rivals of :class:`.GuidedAttentiveInterpolation`, with its interface.

References of the ablations of `GAIN <https://arxiv.org/abs/2601.01167>`_;
official repository: hustvl/simpleseg (no licence file).
"""
from typing import Optional

import torch
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..conv_norm_act import conv_norm_act
from ..gain.guided_attentive_interpolation import (
    GuidedAttentiveInterpolation,
    check_features,
)


@MODELS.register_module()
class BilinearInterpolation(BaseModule):
    """GAI without attention (``ATTN_TYPE`` "BL"): act(norm(conv [V ; U])).

    Args:
        channels (int): Channels C of the semantic feature and the output.
        guide_channels (int, optional): Channels of the guide, which gives
            nothing but the size. Defaults to ``channels``.
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
        self.align_corners = align_corners
        middle = attention_channels or max(channels // 2, 1)
        self.value_conv = nn.Conv2d(channels, middle, 1)
        self.bottleneck = conv_norm_act(
            middle + channels, channels, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, guide: Tensor, semantic: Tensor) -> Tensor:
        """(N, Cg, H, W) and (N, C, h, w) -> (N, C, H, W)."""
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
            torch.cat([self.value_conv(resized), resized], dim=1))


@MODELS.register_module()
class GuideQueryInterpolation(GuidedAttentiveInterpolation):
    """GAI with queries of the guide alone (``ATTN_TYPE`` "CC-B").

    The form that the text of the paper describes. Arguments as
    :class:`.GuidedAttentiveInterpolation`.
    """

    def _query_channels(self) -> int:
        return self.guide_channels

    def query(self, guide: Tensor, resized: Tensor) -> Tensor:
        """L, of shape (N, guide_channels, H, W)."""
        return guide


@MODELS.register_module()
class SemanticQueryInterpolation(GuidedAttentiveInterpolation):
    """GAI with queries of the resized feature alone (``ATTN_TYPE`` "CC-C").

    The guide gives nothing but the size. Arguments as
    :class:`.GuidedAttentiveInterpolation`.
    """

    def _query_channels(self) -> int:
        return self.channels

    def query(self, guide: Tensor, resized: Tensor) -> Tensor:
        """U, of shape (N, channels, H, W)."""
        return resized
