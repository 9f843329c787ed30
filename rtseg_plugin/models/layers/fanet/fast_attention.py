from typing import Tuple

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from ..precision import full_precision

# activation and initialisation of everything in FANet but its encoder; with
# these arguments the standard deviation is 1 / sqrt(fan-in)
LEAKY = dict(type='LeakyReLU', negative_slope=0.01)
KAIMING = dict(
    type='Kaiming',
    layer='Conv2d',
    a=1,
    mode='fan_in',
    nonlinearity='leaky_relu')


class QueryKeyValue(BaseModule):
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
class FastAttention(QueryKeyValue):
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

    def project_query(self, x: Tensor) -> Tensor:
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

    def summarize(self, x: Tensor) -> Tensor:
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

    def attend(self, query: Tensor, product: Tensor,
               size: Tuple[int, int]) -> Tensor:
        """Read the product with the queries.

        Args:
            query (Tensor): Of shape (N, c', H * W).
            product (Tensor): Of shape (N, c', C), or a sum of such.
            size (tuple[int, int]): H and W.

        Returns:
            Tensor: Of shape (N, C, H, W).
        """
        n, _, positions = query.shape
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
        return out.to(next(self.parameters()).dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Attend to all positions.

        Args:
            x (Tensor): Feature of shape (N, C, H, W).

        Returns:
            Tensor: Of the same shape.
        """
        return self.attend(
            self.project_query(x), self.summarize(x), x.shape[2:])
