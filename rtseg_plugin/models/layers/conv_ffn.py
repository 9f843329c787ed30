from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class ConvFFN(BaseModule):
    """norm - conv 3x3 - GELU - conv 3x3.

    The feed-forward part of SCTNet's CFBlock and of RTFormer's block.

    Args:
        channels (int): Channels of input, hidden map and output.
        norm_cfg (dict): Norm of the input. Defaults to
            dict(type='BN', eps=1e-6), as the official code of both.
    """

    def __init__(self,
                 channels: int,
                 norm_cfg: dict = dict(type='BN', eps=1e-6)):
        super().__init__()
        self.norm = build_norm_layer(norm_cfg, channels)[1]
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.act = nn.GELU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W); no residual."""
        return self.conv2(self.act(self.conv1(self.norm(x))))
