from typing import Sequence

from mmcv.cnn import build_activation_layer, build_norm_layer
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class SCTHead(BaseDecodeHead):
    """Pre-activation head of SCTNet, also RTFormer's.

    norm - act - conv 3x3 - norm - act - conv 1x1. The host's heads start
    with the convolution; these networks hand over features that are neither
    normalised nor activated.

    Papers: `SCTNet <https://arxiv.org/abs/2312.17071>`_, `RTFormer
    <https://arxiv.org/abs/2210.07124>`_. Official repositories: xzz777/SCTNet
    (MIT; class SCTHead, its auxiliary head has the same structure) and
    PaddlePaddle/PaddleSeg (Apache-2.0). The SCTNet paper puts the norm after
    the convolution; this follows the official code. Dropout is off by
    default, as there.

    Args:
        in_channels (int): Channels of the input feature.
        channels (int): Channels between the two convolutions.
        num_classes (int): Number of classes.
        conv_bias (bool): Whether the 3x3 convolution has a bias: yes in
            SCTNet, no in RTFormer. Defaults to True.
        dropout_ratio (float): Dropout before the classifier. Defaults to 0.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        init_cfg (dict, optional): Defaults to None: the convolutions keep
            PyTorch's initialisation, as in the official SCTNet.
        **kwargs: Of :class:`mmseg.models.decode_heads.BaseDecodeHead`.
    """

    def __init__(self,
                 in_channels: int,
                 channels: int,
                 *,
                 num_classes: int,
                 conv_bias: bool = True,
                 dropout_ratio: float = 0.,
                 norm_cfg: dict = dict(type='BN'),
                 init_cfg: dict = None,
                 **kwargs):
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            dropout_ratio=dropout_ratio,
            norm_cfg=norm_cfg,
            init_cfg=init_cfg,
            **kwargs)
        self.bn1 = build_norm_layer(norm_cfg, in_channels)[1]
        self.conv1 = nn.Conv2d(
            in_channels, channels, 3, padding=1, bias=conv_bias)
        self.bn2 = build_norm_layer(norm_cfg, channels)[1]
        self.act = build_activation_layer(self.act_cfg)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Classify the chosen feature.

        Args:
            inputs (Sequence[Tensor]): Features; ``in_index`` chooses one of
                shape (N, in_channels, H, W).

        Returns:
            Tensor: Logits of shape (N, num_classes, H, W).
        """
        x = self._transform_inputs(inputs)
        x = self.conv1(self.act(self.bn1(x)))
        return self.cls_seg(self.act(self.bn2(x)))
