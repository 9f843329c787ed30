"""Fusions of what a memory read with what the current frame says.

Each takes ``(read, query)`` of (N, value_channels, H, W) and returns
(N, out_channels, H, W), the channels that the decoder is used to.
`LMANet <https://arxiv.org/abs/2101.01715>`_, official repository
mattpfr/lmanet (GPL-3.0; structure only). The paper's equation 6 names four
convolutions and two gated terms; norms, dropout and activations follow the
official code.
"""
import math
from typing import Optional

import torch
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn


class _PreActivation(BaseModule):
    """norm - channel dropout - ReLU."""

    def __init__(self, channels: int, dropout_ratio: float, norm_cfg: dict):
        super().__init__()
        self.norm = build_norm_layer(norm_cfg, channels)[1]
        self.dropout = nn.Dropout2d(dropout_ratio)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.norm(x)).relu_()


@MODELS.register_module()
class GatedFusion(BaseModule):
    """Two 3x3 convolutions, each under a gate that sees both inputs.

    relu(norm(conv(query) * sigmoid(gate([query, read])) + conv(read) *
    sigmoid(gate([query, read])))), both inputs after norm, dropout and ReLU.
    The defaults are 'sigmoid-do1' of the official code, LMANet's fusion on
    ERFNet. 'sigmoid' is ``pre_activation=False``, 'sigmoid-do2'
    ``dropout_ratio=0``, 'sigmoid-do3' ``shared_gate=True`` and
    'simple-sigmoid' both ``pre_activation=False`` and ``shared_gate=True``.

    Args:
        value_channels (int): Channels of each input.
        out_channels (int, optional): Channels of the result. Defaults to
            None: twice ``value_channels``, as in LMANet.
        pre_activation (bool): Whether norm, dropout and ReLU come before the
            convolutions. Defaults to True.
        dropout_ratio (float): Channel dropout between norm and ReLU. Defaults
            to 0.3.
        shared_gate (bool): Whether one gate serves both terms. Defaults to
            False.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN', eps=1e-3).
        init_cfg (dict, optional): Defaults to None.
    """

    def __init__(self,
                 value_channels: int,
                 out_channels: Optional[int] = None,
                 pre_activation: bool = True,
                 dropout_ratio: float = 0.3,
                 shared_gate: bool = False,
                 norm_cfg: dict = dict(type='BN', eps=1e-3),
                 init_cfg: Optional[dict] = None):
        super().__init__(init_cfg)
        out_channels = out_channels or 2 * value_channels
        if pre_activation:
            self.query_act = _PreActivation(value_channels, dropout_ratio,
                                            norm_cfg)
            self.read_act = _PreActivation(value_channels, dropout_ratio,
                                           norm_cfg)
        else:
            self.query_act = self.read_act = nn.Identity()
        self.query_conv = nn.Conv2d(value_channels, out_channels, 3, padding=1)
        self.read_conv = nn.Conv2d(value_channels, out_channels, 3, padding=1)
        both = 2 * value_channels
        self.query_gate = nn.Conv2d(both, out_channels, 3, padding=1)
        self.read_gate = None if shared_gate else nn.Conv2d(
            both, out_channels, 3, padding=1)
        self.norm = build_norm_layer(norm_cfg, out_channels)[1]

    def forward(self, read: Tensor, query: Tensor) -> Tensor:
        """Fuse.

        Args:
            read (Tensor): (N, value_channels, H, W).
            query (Tensor): (N, value_channels, H, W).

        Returns:
            Tensor: (N, out_channels, H, W).
        """
        query, read = self.query_act(query), self.read_act(read)
        both = torch.cat((query, read), 1)
        gate = self.query_gate(both).sigmoid()
        fused = self.query_conv(query) * gate
        if self.read_gate is not None:
            gate = self.read_gate(both).sigmoid()
        return self.norm(fused + self.read_conv(read) * gate).relu_()


@MODELS.register_module()
class ReducedGatedFusion(BaseModule):
    """Gates from a narrow map, on the unchanged inputs: for wide values.

    With h = relu(norm(reduce(query) + reduce(read))), of 256 channels, all
    convolutions 1x1 and one reduction for both inputs: relu(norm(query *
    sigmoid(gate(h)) + read * sigmoid(gate(h)))). 'sigmoid-down1' of the
    official code, LMANet's fusion on PSPNet; its ``conv_layer_2`` is never
    used there and is absent here.

    Args:
        value_channels (int): Channels of each input.
        out_channels (int, optional): Channels of the result, the same by
            construction. Defaults to None.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN', eps=1e-3).
        init_cfg (dict, optional): Defaults to None.
    """

    def __init__(self,
                 value_channels: int,
                 out_channels: Optional[int] = None,
                 norm_cfg: dict = dict(type='BN', eps=1e-3),
                 init_cfg: Optional[dict] = None):
        super().__init__(init_cfg)
        if out_channels not in (None, value_channels):
            raise ValueError(
                'ReducedGatedFusion gates its inputs as they are, so '
                f'out_channels ({out_channels}) must be value_channels '
                f'({value_channels})')
        hidden = 256
        self.reduce = nn.Conv2d(value_channels, hidden, 1)
        self.reduce_norm = build_norm_layer(norm_cfg, hidden)[1]
        self.query_gate = nn.Conv2d(hidden, value_channels, 1)
        self.read_gate = nn.Conv2d(hidden, value_channels, 1)
        self.norm = build_norm_layer(norm_cfg, value_channels)[1]

    def forward(self, read: Tensor, query: Tensor) -> Tensor:
        """Fuse.

        Args:
            read (Tensor): (N, value_channels, H, W).
            query (Tensor): (N, value_channels, H, W).

        Returns:
            Tensor: (N, value_channels, H, W).
        """
        hidden = self.reduce_norm(self.reduce(query) +
                                  self.reduce(read)).relu_()
        fused = (
            query * self.query_gate(hidden).sigmoid() +
            read * self.read_gate(hidden).sigmoid())
        return self.norm(fused).relu_()


@MODELS.register_module()
class BlendFusion(BaseModule):
    """query + gate * (read - query): at the start nearly the single frame.

    Not LMANet's: its fusions begin at random and have to learn the decoder's
    feature anew. This one only decides, for each channel and position, how
    much of the feature to replace by what was read, sigmoid(conv([query,
    read])), 1x1, with weights of 0 and a bias that begins at ``first_gate``.
    So a memory can be laid on a trained network and trained for minutes. For
    values that are the features themselves (``value_channels=None`` of
    :class:`.LocalMemoryAttention`).

    Args:
        value_channels (int): Channels of each input.
        out_channels (int, optional): Channels of the result, the same by
            construction. Defaults to None.
        first_gate (float): Share of the read at the start, between 0 and 1.
            Defaults to 0.1.
        init_cfg (dict, optional): Defaults to None.

    Raises:
        ValueError: If ``out_channels`` is another number, or ``first_gate``
            is not between 0 and 1.
    """

    def __init__(self,
                 value_channels: int,
                 out_channels: Optional[int] = None,
                 first_gate: float = 0.1,
                 init_cfg: Optional[dict] = None):
        super().__init__(init_cfg)
        if out_channels not in (None, value_channels):
            raise ValueError(
                'BlendFusion blends its inputs as they are, so out_channels '
                f'({out_channels}) must be value_channels ({value_channels})')
        if not 0 < first_gate < 1:
            raise ValueError(
                f'first_gate must be between 0 and 1, not {first_gate}')
        self.gate = nn.Conv2d(2 * value_channels, value_channels, 1)
        self.first_gate = first_gate
        self._open_gate()

    def init_weights(self) -> None:
        """The gate is ``first_gate`` everywhere."""
        super().init_weights()
        self._open_gate()

    def _open_gate(self) -> None:
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias,
                          math.log(self.first_gate / (1 - self.first_gate)))

    def forward(self, read: Tensor, query: Tensor) -> Tensor:
        """Fuse.

        Args:
            read (Tensor): (N, value_channels, H, W).
            query (Tensor): (N, value_channels, H, W).

        Returns:
            Tensor: (N, value_channels, H, W).
        """
        gate = self.gate(torch.cat((query, read), 1)).sigmoid()
        # under autocast the three may be of different types
        return torch.lerp(query, read.to(query.dtype), gate.to(query.dtype))


@MODELS.register_module()
class ConcatFusion(BaseModule):
    """norm - dropout - ReLU on each input, then [query, read]: the ablation.

    Args:
        value_channels (int): Channels of each input.
        out_channels (int, optional): Channels of the result, twice
            ``value_channels`` by construction. Defaults to None.
        dropout_ratio (float): Channel dropout between norm and ReLU. Defaults
            to 0.3.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN', eps=1e-3).
        init_cfg (dict, optional): Defaults to None.
    """

    def __init__(self,
                 value_channels: int,
                 out_channels: Optional[int] = None,
                 dropout_ratio: float = 0.3,
                 norm_cfg: dict = dict(type='BN', eps=1e-3),
                 init_cfg: Optional[dict] = None):
        super().__init__(init_cfg)
        if out_channels not in (None, 2 * value_channels):
            raise ValueError(
                'ConcatFusion returns both inputs, so out_channels '
                f'({out_channels}) must be twice value_channels '
                f'({value_channels})')
        self.query_act = _PreActivation(value_channels, dropout_ratio,
                                        norm_cfg)
        self.read_act = _PreActivation(value_channels, dropout_ratio, norm_cfg)

    def forward(self, read: Tensor, query: Tensor) -> Tensor:
        """Fuse.

        Args:
            read (Tensor): (N, value_channels, H, W).
            query (Tensor): (N, value_channels, H, W).

        Returns:
            Tensor: (N, 2 * value_channels, H, W).
        """
        return torch.cat((self.query_act(query), self.read_act(read)), 1)
