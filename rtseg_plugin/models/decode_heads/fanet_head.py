from typing import Optional, Sequence

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.fanet.fast_attention import KAIMING, LEAKY


@MODELS.register_module()
class FANetHead(BaseDecodeHead):
    """Head of FANet: skip, 3x3 convolution, classifier.

    Paper: `Real-time Semantic Segmentation with Fast Attention
    <https://arxiv.org/abs/2007.03815>`_ (RA-L 2021). Official repository:
    feinanshan/FANet (MIT). The defaults are those of FANet-18 and -34. No
    convolution has a bias, the classifier neither, and there is no dropout,
    as in the official code.

    Args:
        in_channels (Sequence[int]): Channels of the output at the highest
            resolution and of the skip. Defaults to (128, 128).
        channels (int): Channels before the classifier. Defaults to 256.
        num_classes (int): Number of classes.
        in_index (Sequence[int]): Their places among the neck's outputs.
            Defaults to (0, 1).
        dropout_ratio (float): Dropout before the classifier. Defaults to 0.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activation. Defaults to LeakyReLU with slope 0.01.
        align_corners (bool): For all resizing. Defaults to True.
        init_cfg (dict, optional): Defaults to Kaiming normal (fan-in), slope
            1, for convolutions.
        **kwargs: Of :class:`mmseg.models.decode_heads.BaseDecodeHead`.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (128, 128),
                 channels: int = 256,
                 *,
                 num_classes: int,
                 in_index: Sequence[int] = (0, 1),
                 dropout_ratio: float = 0.,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = LEAKY,
                 align_corners: bool = True,
                 init_cfg: dict = KAIMING,
                 **kwargs):
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            in_index=in_index,
            input_transform='multiple_select',
            dropout_ratio=dropout_ratio,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            align_corners=align_corners,
            init_cfg=init_cfg,
            **kwargs)
        if len(self.in_channels) != 2:
            raise ValueError('FANetHead takes two features, in_channels has '
                             f'{len(self.in_channels)}')
        self.conv = ConvModule(
            sum(self.in_channels),
            channels,
            3,
            padding=1,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg)
        self.conv_seg = nn.Conv2d(
            channels, self.out_channels, 1, bias=False)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Classify.

        Args:
            inputs (Sequence[Tensor]): The neck's outputs; ``in_index``
                chooses the finest, (N, C, H, W), and the skip, of any size.

        Returns:
            Tensor: Logits of shape (N, num_classes, H, W).
        """
        fine, skip = self._transform_inputs(inputs)
        skip = F.interpolate(
            skip,
            size=fine.shape[2:],
            mode='bilinear',
            align_corners=self.align_corners)
        return self.cls_seg(self.conv(torch.cat((skip, fine), dim=1)))


@MODELS.register_module()
class FANetAuxiliaryHead(BaseDecodeHead):
    """Auxiliary head of FANet's training code: 3x3 convolution, classifier.

    Paper and repository: see :class:`FANetHead`. On the skip it stands as it
    is. On the deepest stage it brings along the convolution ``smooth`` that
    the official code keeps within the attention module, where inference would
    carry it in vain.

    Args:
        in_channels (int): Channels of the input. Defaults to 128.
        channels (int): Channels before the classifier. Defaults to 64.
        num_classes (int): Number of classes.
        smooth_channels (int, optional): Channels of a 3x3 convolution before
            the head; None for none. Defaults to None.
        dropout_ratio (float): Dropout before the classifier. Defaults to 0.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activation. Defaults to LeakyReLU with slope 0.01.
        align_corners (bool): For the resizing of the logits.
            Defaults to True.
        init_cfg (dict, optional): Defaults to Kaiming normal (fan-in), slope
            1, for convolutions.
        **kwargs: Of :class:`mmseg.models.decode_heads.BaseDecodeHead`.
    """

    def __init__(self,
                 in_channels: int = 128,
                 channels: int = 64,
                 *,
                 num_classes: int,
                 smooth_channels: Optional[int] = None,
                 dropout_ratio: float = 0.,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = LEAKY,
                 align_corners: bool = True,
                 init_cfg: dict = KAIMING,
                 **kwargs):
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            dropout_ratio=dropout_ratio,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            align_corners=align_corners,
            init_cfg=init_cfg,
            **kwargs)
        cfgs = dict(padding=1, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.smooth = None
        if smooth_channels is not None:
            self.smooth = ConvModule(in_channels, smooth_channels, 3, **cfgs)
            in_channels = smooth_channels
        self.conv = ConvModule(in_channels, channels, 3, **cfgs)
        self.conv_seg = nn.Conv2d(
            channels, self.out_channels, 1, bias=False)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Classify.

        Args:
            inputs (Sequence[Tensor]): The neck's outputs; ``in_index``
                chooses one, (N, in_channels, H, W).

        Returns:
            Tensor: Logits of shape (N, num_classes, H, W).
        """
        x = self._transform_inputs(inputs)
        if self.smooth is not None:
            x = self.smooth(x)
        return self.cls_seg(self.conv(x))
