from mmseg.models.backbones.erfnet import NonBottleneck1d
from torch import nn


class ERFBlock(NonBottleneck1d):
    """The host's block with dropout of whole channels, as in the original.

    The host's drops single elements.
    """

    def __init__(self,
                 channels: int,
                 norm_cfg: dict,
                 dropout_ratio: float = 0.,
                 dilation: int = 1):
        super().__init__(channels, dilation=dilation, norm_cfg=norm_cfg)
        self.convs_layers[-1] = nn.Dropout2d(dropout_ratio)
