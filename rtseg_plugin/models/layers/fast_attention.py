from contextlib import nullcontext
from typing import ContextManager, Tuple

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.da_head import CAM
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

# activation and initialisation of everything in FANet but its encoder; with
# these arguments the standard deviation is 1 / sqrt(fan-in)
LEAKY = dict(type='LeakyReLU', negative_slope=0.01)
KAIMING = dict(
    type='Kaiming',
    layer='Conv2d',
    a=1,
    mode='fan_in',
    nonlinearity='leaky_relu')


def full_precision(tensor: Tensor) -> ContextManager:
    """Context without autocast for ``tensor``'s device.

    Nothing where autocast is off, so that an exported graph holds no trace.

    Args:
        tensor (Tensor): What is computed with.

    Returns:
        ContextManager: To be entered around the computation.
    """
    device = tensor.device.type
    if torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()


class _QueryKeyValue(BaseModule):
    """The 1x1 convolutions before an attention.

    The paper's "remove the ReLU" for query and key; the value is activated.
    """

    def __init__(self, in_channels: int, query_channels: int, norm_cfg: dict,
                 act_cfg: dict, init_cfg: dict):
        super().__init__(init_cfg)
        if query_channels < 1:
            raise ValueError(
                f'query_channels is at least 1, got {query_channels}')
        self.query = ConvModule(
            in_channels, query_channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        self.key = ConvModule(
            in_channels, query_channels, 1, norm_cfg=norm_cfg, act_cfg=None)
        self.value = ConvModule(
            in_channels, in_channels, 1, norm_cfg=norm_cfg, act_cfg=act_cfg)


@MODELS.register_module()
class FastAttention(_QueryKeyValue):
    """Attention between all positions at a cost that is linear in them.

    Softmax is replaced by the cosine of query and key, so the product of key
    and value can come first: Q^ (K^T V) instead of (Q^ K^T) V.

    Paper: `Real-time Semantic Segmentation with Fast Attention
    <https://arxiv.org/abs/2007.03815>`_ (RA-L 2021). Official repository:
    feinanshan/FANet (MIT). The defaults are the published layer (last row of
    Table III, 32 channels of Table II), here without what surrounds it in
    FANet. Follows the code: no division by the number of positions, which the
    paper's equations have, and LeakyReLU after the value.

    :class:`SoftmaxSelfAttention`, :class:`ChannelSelfAttention` and
    :class:`NoAttention` stand in its place in the paper's Table III.

    The products add up over all positions and can leave the range of
    float16: they are computed in float32, and under autocast the output is
    float32 too.

    Args:
        in_channels (int): Channels of input, value and output.
        query_channels (int): Channels of query and key, c' in the paper.
            Defaults to 32.
        l2_norm (bool): Whether query and key have unit length at each
            position. Defaults to True.
        divide_by_positions (bool): Whether the result is divided by the
            number of positions, as Eq. 2 and 3 say. Defaults to False.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activation of the value.
            Defaults to LeakyReLU with slope 0.01.
        init_cfg (dict, optional): Defaults to Kaiming normal (fan-in), slope
            1, for convolutions.
    """

    def __init__(self,
                 in_channels: int,
                 query_channels: int = 32,
                 l2_norm: bool = True,
                 divide_by_positions: bool = False,
                 norm_cfg: dict = dict(type='BN'),
                 act_cfg: dict = LEAKY,
                 init_cfg: dict = KAIMING):
        super().__init__(in_channels, query_channels, norm_cfg, act_cfg,
                         init_cfg)
        self.l2_norm = l2_norm
        self.divide_by_positions = divide_by_positions

    def _unit(self, x: Tensor) -> Tensor:
        """At least float32, and of unit length if so asked."""
        if x.dtype in (torch.float16, torch.bfloat16):
            x = x.float()
        return F.normalize(x, dim=1, eps=1e-12) if self.l2_norm else x

    def ask(self, x: Tensor) -> Tensor:
        """Queries of a feature.

        Args:
            x (Tensor): Feature of shape (N, C, H, W).

        Returns:
            Tensor: Of shape (N, c', H * W), at least float32.
        """
        # (N, c', H, W) -> (N, c', P): a view, the memory layout stays
        query = self.query(x).flatten(2)
        with full_precision(x):
            return self._unit(query)

    def memorize(self, x: Tensor) -> Tensor:
        """Product of keys and values of a feature.

        Args:
            x (Tensor): Feature of shape (N, C, H, W).

        Returns:
            Tensor: Of shape (N, c', C), whatever H and W; at least float32.
        """
        # (N, c' or C, P), views
        key = self.key(x).flatten(2)
        value = self.value(x).flatten(2)
        with full_precision(x):
            key = self._unit(key)
            return key @ value.to(key.dtype).transpose(1, 2)

    def answer(self, query: Tensor, product: Tensor,
               size: Tuple[int, int]) -> Tensor:
        """Read the product with the queries.

        Args:
            query (Tensor): Of shape (N, c', H * W).
            product (Tensor): Of shape (N, c', C), or a sum of such.
            size (tuple[int, int]): H and W.

        Returns:
            Tensor: Of shape (N, C, H, W).
        """
        n, positions = len(query), query.shape[2]
        with full_precision(query):
            # In the memory layout that the input had: the sum with the input
            # that mostly follows needs no copy then.
            if query.stride(1) == 1:
                # (N, P, C) -> (N, C, H, W), a view
                out = query.transpose(1, 2) @ product
                out = out.view(n, *size, -1).permute(0, 3, 1, 2)
            else:
                # (N, C, P) -> (N, C, H, W)
                out = (product.transpose(1, 2) @ query).view(n, -1, *size)
            if self.divide_by_positions:
                out = out / positions
        return out.to(self.value.conv.weight.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Attend to all positions.

        Args:
            x (Tensor): Feature of shape (N, C, H, W).

        Returns:
            Tensor: Of the same shape.
        """
        return self.answer(self.ask(x), self.memorize(x), x.shape[2:])


@MODELS.register_module()
class SoftmaxSelfAttention(_QueryKeyValue):
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
