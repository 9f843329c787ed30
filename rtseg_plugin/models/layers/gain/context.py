"""Context modules: a feature gains what its whole image shows."""
from typing import Sequence

import torch
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..conv_norm_act import conv_norm_act
from ..pooling import adaptive_average_pool


@MODELS.register_module()
class GlobalAverageContext(BaseModule):
    """Add the image's mean, projected, to every position.

    mean - conv 1x1 - norm - act, added to the feature, then conv 3x3 - norm -
    act. The global context ("gap") of `GAIN
    <https://arxiv.org/abs/2601.01167>`_; official repository: hustvl/simpleseg
    (no licence file).

    Args:
        channels (int): Channels of input and output.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activations. Defaults to dict(type='ReLU').
        align_corners (bool): Not used; all contexts are built alike.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation.
    """

    def __init__(self,
                 channels: int,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'),
                 align_corners: bool = False,
                 init_cfg: dict = None):
        super().__init__(init_cfg)
        self.project = conv_norm_act(
            channels, channels, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.fuse = conv_norm_act(
            channels, channels, 3, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return self.fuse(x + self.project(x.mean((2, 3), keepdim=True)))


@MODELS.register_module()
class PyramidPoolingContext(BaseModule):
    """Pyramid pooling of a feature and its fusion.

    Means over grids, each conv 1x1 - norm, resized; all of them and the
    feature, conv 1x1 - norm - act - dropout. The pyramid pooling of the
    official code of `GAIN <https://arxiv.org/abs/2601.01167>`_
    (hustvl/simpleseg, no licence file). The host's ``PPM`` does the first
    half but exports only at fixed sizes.

    Args:
        channels (int): Channels C of input and output.
        bins (Sequence[int]): Grids of the pools. Each gets C / len(bins)
            channels. Defaults to (1, 2, 3, 6).
        dropout_ratio (float): Of whole channels. Defaults to 0.1.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Last activation. Defaults to dict(type='ReLU').
        align_corners (bool): Of the resize. Defaults to False.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation.

    Raises:
        ValueError: If ``channels`` cannot be divided among the bins.
    """

    def __init__(self,
                 channels: int,
                 bins: Sequence[int] = (1, 2, 3, 6),
                 dropout_ratio: float = 0.1,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU'),
                 align_corners: bool = False,
                 init_cfg: dict = None):
        super().__init__(init_cfg)
        if channels % len(bins):
            raise ValueError(f'channels ({channels}) must be a multiple of '
                             f'the number of bins ({len(bins)})')
        self.bins = tuple(bins)
        self.align_corners = align_corners
        self.stages = nn.ModuleList(
            conv_norm_act(
                channels,
                channels // len(bins),
                norm_cfg=norm_cfg,
                act_cfg=None) for _ in bins)
        self.bottleneck = conv_norm_act(
            2 * channels,
            channels,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg)
        self.dropout = nn.Dropout2d(dropout_ratio)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        pools = [
            resize(
                stage(adaptive_average_pool(x, bins)),
                size=x.shape[2:],
                mode='bilinear',
                align_corners=self.align_corners,
                warning=False) for stage, bins in zip(self.stages, self.bins)
        ]
        return self.dropout(self.bottleneck(torch.cat([*pools, x], dim=1)))
