from typing import Optional, Sequence

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor

from ..layers import conv_norm_act


@MODELS.register_module()
class GAINLightHead(BaseDecodeHead):
    """Head of GAIN-DF2: fuse features of one resolution and classify.

    [x1 ; x2 ; ...] - conv 1x1 - norm - act - conv 3x3 - norm - act - dropout
    - conv 1x1. Takes what :class:`.GAINeck` returns from its guide on.

    Paper: `Cross-Layer Attentive Feature Upsampling for Low-latency Semantic
    Segmentation <https://arxiv.org/abs/2601.01167>`_ (GAIN). Official
    repository: hustvl/simpleseg (no licence file). The defaults are its
    CLALightHead; ``dropout_ratio=0`` makes it its CLAHeadS8, which may also
    have ``fuse_3x3=False``.

    Args:
        in_channels (Sequence[int]): Channels of the features.
        channels (int): Channels of the fused feature.
        num_classes (int): Number of classes.
        fuse_3x3 (bool): Whether the 3x3 convolution is there. Defaults to
            True.
        in_index (Sequence[int]): Which features to take. Defaults to None:
            all.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activations. Defaults to
            dict(type='ReLU', inplace=True).
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation,
            as official.
        **kwargs: Of :class:`mmseg.models.decode_heads.BaseDecodeHead`.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 channels: int,
                 *,
                 num_classes: int,
                 fuse_3x3: bool = True,
                 in_index: Optional[Sequence[int]] = None,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU', inplace=True),
                 init_cfg: dict = None,
                 **kwargs):
        if in_index is None:
            in_index = tuple(range(len(in_channels)))
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            in_index=in_index,
            input_transform='multiple_select',
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            init_cfg=init_cfg,
            **kwargs)
        layers = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.merge = conv_norm_act(
            sum(self._merged_channels()), channels, **layers)
        if fuse_3x3:
            self.merge.extend(conv_norm_act(channels, channels, 3, **layers))

    def _merged_channels(self) -> Sequence[int]:
        return self.in_channels

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Fuse and classify.

        Args:
            inputs (Sequence[Tensor]): Features; those of ``in_index`` have
                one height and width.

        Returns:
            Tensor: Logits of shape (N, num_classes, H, W), at the resolution
            of the features.
        """
        features = self._transform_inputs(inputs)
        return self.cls_seg(self.merge(torch.cat(features, dim=1)))


@MODELS.register_module()
class GAINHead(GAINLightHead):
    """Head of GAIN-R18: fuse, then refine with a finer feature.

    The features after the first are fused as in :class:`GAINLightHead` and
    resized to the first; both together - conv 1x1 - norm - act - dropout -
    conv 1x1.

    Paper: `Cross-Layer Attentive Feature Upsampling for Low-latency Semantic
    Segmentation <https://arxiv.org/abs/2601.01167>`_ (GAIN). Official
    repository: hustvl/simpleseg (no licence file), class CLAHead; its
    CLAGAPHead is the same head behind a :class:`.GAINeck` with
    ``num_contexts=2``. GAIN-R18 for CamVid has ``fuse_3x3=False``.

    Args:
        in_channels (Sequence[int]): Channels of the features, the finer one
            first.
        channels (int): Channels of the fused feature.
        num_classes (int): Number of classes.
        fuse_3x3 (bool): Whether the fusion has a 3x3 convolution. Defaults to
            True.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activations. Defaults to
            dict(type='ReLU', inplace=True).
        **kwargs: Of :class:`GAINLightHead` and
            :class:`mmseg.models.decode_heads.BaseDecodeHead`.
    """

    def __init__(self,
                 in_channels: Sequence[int],
                 channels: int,
                 *,
                 num_classes: int,
                 fuse_3x3: bool = True,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU', inplace=True),
                 **kwargs):
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            fuse_3x3=fuse_3x3,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            **kwargs)
        self.refine = conv_norm_act(
            channels + self.in_channels[0],
            channels,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg)

    def _merged_channels(self) -> Sequence[int]:
        return self.in_channels[1:]

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Fuse, refine and classify.

        Args:
            inputs (Sequence[Tensor]): Features; those of ``in_index`` after
                the first have one height and width.

        Returns:
            Tensor: Logits of shape (N, num_classes, H, W), at the resolution
            of the first feature.
        """
        fine, *features = self._transform_inputs(inputs)
        merged = self.merge(torch.cat(features, dim=1))
        coarse = resize(
            merged,
            size=fine.shape[2:],
            mode='bilinear',
            align_corners=self.align_corners)
        return self.cls_seg(self.refine(torch.cat([coarse, fine], dim=1)))


@MODELS.register_module()
class GAINAuxiliaryHead(BaseDecodeHead):
    """Auxiliary head of GAIN: conv 3x3 - norm - act - dropout - conv 1x1.

    The host's ``FCNHead`` has no bias in the 3x3 convolution, the official
    code of `GAIN <https://arxiv.org/abs/2601.01167>`_ (hustvl/simpleseg, no
    licence file) has one. It keeps PyTorch's initialisation.

    Args:
        in_channels (int): Channels of the feature.
        channels (int): Channels between the convolutions.
        num_classes (int): Number of classes.
        in_index (int): Which feature to take. Defaults to -1.
        norm_cfg (dict): Norm layer. Defaults to dict(type='BN').
        act_cfg (dict): Activation. Defaults to
            dict(type='ReLU', inplace=True).
        init_cfg (dict, optional): Defaults to None.
        **kwargs: Of :class:`mmseg.models.decode_heads.BaseDecodeHead`.
    """

    def __init__(self,
                 in_channels: int,
                 channels: int,
                 *,
                 num_classes: int,
                 in_index: int = -1,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = dict(type='ReLU', inplace=True),
                 init_cfg: dict = None,
                 **kwargs):
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            in_index=in_index,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            init_cfg=init_cfg,
            **kwargs)
        self.conv = conv_norm_act(
            in_channels, channels, 3, True, norm_cfg=norm_cfg, act_cfg=act_cfg)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Classify the chosen feature: (N, C, H, W) -> (N, classes, H, W)."""
        return self.cls_seg(self.conv(self._transform_inputs(inputs)))
