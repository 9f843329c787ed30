"""Rivals of :class:`.FastAttention` (Table III of FANet)."""
from mmseg.models.decode_heads.da_head import CAM
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..fanet.fast_attention import KAIMING, LEAKY, QueryKeyValue
from ..precision import full_precision


@MODELS.register_module()
class SoftmaxSelfAttention(QueryKeyValue):
    """Softmax over all positions, at a quadratic cost (Eq. 1).

    The rival "Self-Att." of Table III of FANet
    (https://arxiv.org/abs/2007.03815); the official code does not hold it.
    As in the equation the energies are not scaled.

    Args:
        in_channels (int): Channels of input, value and output.
        query_channels (int): Channels of query and key. Defaults to 32.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activation of the value.
            Defaults to LeakyReLU with slope 0.01.
        init_cfg (dict, optional): Defaults to Kaiming normal (fan-in), slope
            1, for convolutions.
    """

    def __init__(self,
                 in_channels: int,
                 query_channels: int = 32,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = LEAKY,
                 init_cfg: dict = KAIMING):
        super().__init__(in_channels, query_channels, norm_cfg, act_cfg,
                         init_cfg)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        # (N, 1, P, channels), one head
        query, key, value = (
            layer(x).flatten(2).transpose(1, 2).unsqueeze(1)
            for layer in (self.query, self.key, self.value))
        out = F.scaled_dot_product_attention(query, key, value, scale=1.)
        # (N, 1, P, C) -> (N, C, H, W)
        return out.squeeze(1).transpose(1, 2).unflatten(2, x.shape[2:])


@MODELS.register_module()
class ChannelSelfAttention(CAM):
    """Attention between channels, the rival "Channel-Att." of Table III.

    The host's channel attention of `DANet
    <https://arxiv.org/abs/1809.02983>`_ behind the interface of
    :class:`FastAttention`; as there the result is weighted by a scalar that
    starts at 0 and added to the input. The official code of FANet does not
    hold it. Energies are computed in float32.

    Args:
        in_channels (int): Channels of input and output; for the interface.
        norm_cfg (dict): For the interface, there is no norm layer.
    """

    def __init__(self, in_channels: int, norm_cfg: dict = dict(type='BN')):
        super().__init__()
        self.in_channels = in_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        with full_precision(x):
            return super().forward(x.float()).to(x.dtype)


@MODELS.register_module()
class NoAttention(nn.Module):
    """Hands its input through: "w/o Att." of Table III of FANet.

    Args:
        in_channels (int): Channels of input and output; for the interface.
        norm_cfg (dict): For the interface, there is no norm layer.
    """

    def __init__(self, in_channels: int, norm_cfg: dict = dict(type='BN')):
        super().__init__()
        self.in_channels = in_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same tensor."""
        return x
