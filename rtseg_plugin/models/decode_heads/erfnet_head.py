from typing import Optional, Sequence

from mmengine.model import Sequential
from mmseg.models.backbones.erfnet import UpsamplerBlock
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..layers.lmanet.erf_block import ERFBlock


@MODELS.register_module()
class ERFNetHead(BaseDecodeHead):
    """Decoder of ERFNet, for use with :class:`ERFNetEncoder`.

    Transposed convolutions back to 1/2, each followed by two blocks, and a
    2x2 transposed convolution to logits at full size. The host's ERFNet holds
    the first part in its backbone and puts an FCNHead behind it. Paper and
    repository: see :class:`ERFNetEncoder`.

    Args:
        in_channels (int): Channels of the encoded feature. Defaults to 128.
        channels (int): Channels before the classifier. Defaults to 16.
        num_classes (int): Number of classes. Defaults to 19.
        stage_channels (Sequence[int]): Channels of the steps before the last.
            Defaults to (64, ).
        num_blocks (int): Blocks after each step. Defaults to 2.
        dropout_ratio (float): Dropout before the classifier. Defaults to 0.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN', eps=1e-3).
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation,
            as in the original.
        **kwargs: Of :class:`mmseg.models.decode_heads.BaseDecodeHead`.
    """

    def __init__(self,
                 in_channels: int = 128,
                 channels: int = 16,
                 *,
                 num_classes: int = 19,
                 stage_channels: Sequence[int] = (64, ),
                 num_blocks: int = 2,
                 dropout_ratio: float = 0.,
                 norm_cfg: dict = dict(type='BN', eps=1e-3),
                 init_cfg: Optional[dict] = None,
                 **kwargs):
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            dropout_ratio=dropout_ratio,
            norm_cfg=norm_cfg,
            init_cfg=init_cfg,
            **kwargs)
        widths = (in_channels, *stage_channels, channels)
        self.stages = nn.ModuleList(
            Sequential(
                UpsamplerBlock(old, new, norm_cfg=norm_cfg),
                *(ERFBlock(new, norm_cfg) for _ in range(num_blocks)))
            for old, new in zip(widths, widths[1:]))
        self.conv_seg = nn.ConvTranspose2d(
            channels, self.out_channels, 2, stride=2)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Decode.

        Args:
            inputs (Sequence[Tensor]): Features; ``in_index`` chooses one of
                shape (N, in_channels, H, W).

        Returns:
            Tensor: Logits of shape (N, num_classes, 8H, 8W).
        """
        x = self._transform_inputs(inputs)
        for stage in self.stages:
            x = stage(x)
        return self.cls_seg(x)
