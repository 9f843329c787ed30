"""Rivals of SCTNet's CFBlock with its interface (Table 4 of the paper).

``Block(channels, drop_path_rate, norm_cfg)`` maps (N, C, H, W) to the same
shape. The blocks are the host's or those of other networks of this package.
"""
from mmcv.cnn.bricks import DropPath
from mmengine.model import BaseModule
from mmseg.models.backbones.mit import TransformerEncoderLayer
from mmseg.models.backbones.mscan import MSCABlock
from mmseg.models.utils import nchw_to_nlc, nlc_to_nchw
from mmseg.models.utils.basic_block import BasicBlock
from mmseg.registry import MODELS
from torch import Tensor

from ..conv_ffn import ConvFFN
from ..rtformer.gpu_friendly_attention import GPUFriendlyAttention


@MODELS.register_module()
class ConvResBlock(BaseModule):
    """The host's residual block, without the activation behind the sum.

    Args:
        channels (int): Channels of input and output.
        drop_path_rate (float): Chance to drop the residual branch per
            sample. Defaults to 0.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
    """

    def __init__(self,
                 channels: int,
                 drop_path_rate: float = 0.,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        self.block = BasicBlock(
            channels, channels, norm_cfg=norm_cfg, act_cfg_out=None)
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return x + self.drop_path(self.block.conv2(self.block.conv1(x)))


@MODELS.register_module()
class SegFormerBlock(BaseModule):
    """The host's transformer layer of SegFormer.

    Args:
        channels (int): Channels of input and output; divisible by 64.
        drop_path_rate (float): As the host's. Defaults to 0.
        norm_cfg (dict): Not used: the layer has its own LayerNorm. It is
            accepted since all blocks are built alike.
        sr_ratio (int): Keys and values are reduced by this in each direction,
            which the input has to allow. Defaults to 1; with 4 the network of
            Table 4 has the parameters that the paper states.
    """

    def __init__(self,
                 channels: int,
                 drop_path_rate: float = 0.,
                 norm_cfg: dict = dict(type='BN'),
                 sr_ratio: int = 1):
        super().__init__()
        if channels % 64:
            raise ValueError(f'channels must be divisible by 64, the width of '
                             f'an attention head, got {channels}')
        self.layer = TransformerEncoderLayer(
            channels,
            num_heads=channels // 64,
            feedforward_channels=4 * channels,
            drop_path_rate=drop_path_rate,
            sr_ratio=sr_ratio)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W); sides of ``sr_ratio`` or more."""
        hw_shape = x.shape[2:]
        return nlc_to_nchw(self.layer(nchw_to_nlc(x), hw_shape), hw_shape)


@MODELS.register_module()
class GFABlock(BaseModule):
    """GPU-friendly attention of RTFormer with the feed-forward of CFBlock.

    Args:
        channels (int): Channels of input and output.
        drop_path_rate (float): Chance to drop each residual branch per
            sample. Defaults to 0.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
    """

    def __init__(self,
                 channels: int,
                 drop_path_rate: float = 0.,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        self.attn = GPUFriendlyAttention(channels, norm_cfg=norm_cfg)
        self.ffn = ConvFFN(channels, dict(norm_cfg, eps=1e-6))
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        x = x + self.drop_path(self.attn(x))
        return x + self.drop_path(self.ffn(x))


@MODELS.register_module()
class MSCANBlock(BaseModule):
    """The host's block of MSCAN (SegNeXt).

    Args:
        channels (int): Channels of input and output.
        drop_path_rate (float): As the host's. Defaults to 0.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
    """

    def __init__(self,
                 channels: int,
                 drop_path_rate: float = 0.,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        self.block = MSCABlock(
            channels, drop_path=drop_path_rate, norm_cfg=norm_cfg)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        hw_shape = x.shape[2:]
        x = self.block(nchw_to_nlc(x), *hw_shape)
        return nlc_to_nchw(x, hw_shape)
