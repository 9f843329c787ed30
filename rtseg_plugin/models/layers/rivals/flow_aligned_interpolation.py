from typing import Optional

import torch
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..conv_norm_act import conv_norm_act
from ..gain.guided_attentive_interpolation import check_features
from ..precision import float32_at_least
from .guided_attention import sampling_positions


@MODELS.register_module()
class FlowAlignedInterpolation(BaseModule):
    """Semantic-flow warp of the semantic feature (``ATTN_TYPE`` "Align").

    Both features, reduced, predict a flow of the size of the guide; the
    semantic feature is sampled along it and added to the guide.

    Reference of the ablations of `GAIN <https://arxiv.org/abs/2601.01167>`_,
    after the flow alignment of `SFNet <https://arxiv.org/abs/2002.10120>`_.
    Official repository: hustvl/simpleseg (no licence file), which resizes
    with ``align_corners`` and samples without it; this does the same.

    Args:
        channels (int): Channels of both features and the output.
        guide_channels (int, optional): Must equal ``channels``, which is the
            default: the guide is added to the sampled feature.
        norm_cfg (dict): Norm of the output. Defaults to dict(type='BN').
        act_cfg (dict): Activation of the output. Defaults to
            dict(type='ReLU').
        align_corners (bool): Of the sampling; the flow's own resize keeps
            True. Defaults to False.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation.

    Raises:
        ValueError: If the two numbers of channels differ.
    """

    def __init__(self,
                 channels: int,
                 guide_channels: Optional[int] = None,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'),
                 align_corners: bool = False,
                 init_cfg: dict = None):
        super().__init__(init_cfg)
        if guide_channels not in (None, channels):
            raise ValueError('FlowAlignedInterpolation adds the guide to the '
                             'semantic feature: guide_channels must be '
                             f'{channels}, got {guide_channels}')
        self.channels = channels
        self.align_corners = align_corners
        self.reduce_semantic = nn.Conv2d(channels, channels, 1, bias=False)
        self.reduce_guide = nn.Conv2d(channels, channels, 1, bias=False)
        self.flow_conv = nn.Conv2d(
            2 * channels, 2, 3, padding=1, bias=False)
        self.bottleneck = conv_norm_act(
            channels, channels, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, guide: Tensor, semantic: Tensor) -> Tensor:
        """As :meth:`.Interpolation.forward`."""
        check_features(
            type(self).__name__, guide, semantic, self.channels,
            self.channels)
        h, w = guide.shape[2:]
        reduced = resize(
            self.reduce_semantic(semantic),
            size=(h, w),
            mode='bilinear',
            align_corners=True,
            warning=False)
        # places in half precision would be off by up to half a pixel
        flow = float32_at_least(
            self.flow_conv(
                torch.cat([reduced, self.reduce_guide(guide)], dim=1)))
        # The flow is in pixels: (N, 2, H, W) -> (N, H, W, 2)
        flow = flow.permute(0, 2, 3, 1) / flow.new_tensor([w, h])
        warped = F.grid_sample(
            semantic.to(flow.dtype),
            sampling_positions(h, w, flow) + flow,
            align_corners=self.align_corners)
        return self.bottleneck(warped + guide)
