from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class DepthwiseFFN(BaseModule):
    """The usual feed-forward part of vision transformers, on maps.

    norm - 1x1 - depthwise 3x3 - GELU - 1x1, that is, two linear layers with
    a depthwise convolution between them, as in SegFormer (whose ``MixFFN`` in
    the host works on sequences). The "typical FFN" of Table 5b of `RTFormer
    <https://arxiv.org/abs/2210.07124>`_; the paper says "two or four times"
    of the expansion, not which; here it is four.

    Args:
        channels (int): Channels of input and output.
        norm_cfg (dict): Norm of the input. Defaults to
            dict(type='BN', eps=1e-6).
    """

    def __init__(self,
                 channels: int,
                 norm_cfg: dict = dict(type='BN', eps=1e-6)):
        super().__init__()
        hidden = 4 * channels
        self.norm = build_norm_layer(norm_cfg, channels)[1]
        self.expand = nn.Conv2d(channels, hidden, 1)
        self.depthwise = nn.Conv2d(
            hidden, hidden, 3, padding=1, groups=hidden)
        self.act = nn.GELU()
        self.reduce = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W); no residual."""
        x = self.depthwise(self.expand(self.norm(x)))
        return self.reduce(self.act(x))
