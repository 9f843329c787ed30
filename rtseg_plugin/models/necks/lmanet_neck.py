from typing import NamedTuple, Optional, Sequence, Tuple, Union

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from mmseg.utils import OptMultiConfig
from torch import Tensor, nn

from ..layers.local_attention import (
    global_attention,
    local_attention,
    local_attention_weights,
)

Features = Union[Tensor, Sequence[Tensor]]


class Memory(NamedTuple):
    """What :class:`LocalMemoryAttention` remembers of N streams.

    Attributes:
        keys (Tensor): Keys of the last T frames, oldest first,
            (N, T, Ck, H, W).
        values (Tensor): Their values, (N, T, Cv, H, W).
    """
    keys: Tensor
    values: Tensor


class FixedMemory(NamedTuple):
    """:class:`Memory` of one shape from the first frame on, for export.

    Channels are last, as the read wants them.

    Attributes:
        keys (Tensor): Of the last S frames, oldest first, zero where there
            was none yet, (N, S, H, W, Ck).
        values (Tensor): Their values, (N, S, H, W, Cv).
        frames (Tensor): How many there are, (N, ), int64.
    """
    keys: Tensor
    values: Tensor
    frames: Tensor


@MODELS.register_module()
class LocalMemoryAttention(BaseModule):
    """Memory of past frames that each position reads in a window around it.

    Paper: `Local Memory Attention for Fast Video Semantic Segmentation
    <https://arxiv.org/abs/2101.01715>`_ (LMANet, IROS 2021). Official
    repository: mattpfr/lmanet (GPL-3.0; structure and numbers only, no code).
    The defaults are those of ERFNet with S=4 and R=21, 73.72 mIoU on
    Cityscapes val against 72.05 of the single frame.

    A neck between any backbone and any head, for
    :class:`.VideoEncoderDecoder`: one feature goes through the memory, the
    others through unchanged. The frame is compared with the keys of up to
    ``memory_size`` past frames, what it reads of their values is fused with
    its own value; the first frame of a stream passes as it is. Then the
    frame's own key and value join the memory and the oldest leave. Nothing is
    kept on the module.

    The official code is followed against the paper: the window's side is
    ``window_size`` (the paper calls it a radius), the memory is displaced and
    not the query, and the global read scales its logits by 1/sqrt(key
    channels), which the local one does not. The query's key layer starts
    equal to the memory's, and is not tied to it.

    Args:
        in_channels (int): Channels of the feature. Defaults to 128.
        key_channels (int): Channels of keys. Defaults to 16.
        value_channels (int, optional): Channels of values; None takes the
            feature itself as its value, as LMANet on PSPNet does. Defaults to
            64.
        memory_size (int): S, frames to remember. Defaults to 4. A model may
            be run with more than it was trained with.
        window_size (int, optional): R, side of the window in positions of the
            feature, odd; None reads everywhere (the ablation). Defaults to 21.
        fusion (dict): How what was read is fused with the frame's value; it
            must return ``in_channels`` channels. Defaults to
            dict(type='GatedFusion').
        learnable_constant (bool): Whether a learnt logit joins each softmax:
            a way to read nothing. Defaults to False.
        in_index (int): Which of several features goes through the memory; a
            backbone that returns one tensor needs none. Defaults to -1.
        init_cfg (dict | list[dict], optional): Defaults to None.

    Raises:
        ValueError: If ``window_size`` is even, ``memory_size`` is not
            positive, or the read is global with a learnable constant.
    """

    stateful = True

    def __init__(self,
                 in_channels: int = 128,
                 key_channels: int = 16,
                 value_channels: Optional[int] = 64,
                 memory_size: int = 4,
                 window_size: Optional[int] = 21,
                 fusion: dict = dict(type='GatedFusion'),
                 learnable_constant: bool = False,
                 in_index: int = -1,
                 init_cfg: OptMultiConfig = None):
        super().__init__(init_cfg)
        if memory_size < 1:
            raise ValueError(
                f'memory_size is at least 1, got {memory_size}; without '
                'memory, leave the neck out')
        if window_size is not None and (window_size < 1
                                        or window_size % 2 == 0):
            raise ValueError('window_size is the side of a window with a '
                             f'middle, an odd number, got {window_size}')
        if window_size is None and learnable_constant:
            raise ValueError('the global read has no learnable constant')
        self.in_channels = in_channels
        self.in_index = in_index
        self.memory_size = memory_size
        self.window_size = window_size
        self.memory_key = nn.Conv2d(in_channels, key_channels, 3, padding=1)
        self.query_key = nn.Conv2d(in_channels, key_channels, 3, padding=1)
        if value_channels is None:
            value_channels = in_channels
            self.memory_value = self.query_value = nn.Identity()
        else:
            self.memory_value, self.query_value = (nn.Conv2d(
                in_channels, value_channels, 3, padding=1) for _ in range(2))
        self.fusion = MODELS.build(
            dict(
                fusion,
                value_channels=value_channels,
                out_channels=in_channels))
        self.constant = nn.Parameter(
            torch.zeros(())) if learnable_constant else None
        self._equal_keys()

    def init_weights(self) -> None:
        """Initialise; the two key layers start equal."""
        super().init_weights()
        cfgs = self.init_cfg or []
        if isinstance(cfgs, dict):
            cfgs = [cfgs]
        if all(cfg['type'] != 'Pretrained' for cfg in cfgs):
            self._equal_keys()

    def _equal_keys(self) -> None:
        # a copy of the numbers: one storage would be tied for good
        self.query_key.load_state_dict(self.memory_key.state_dict())

    def _select(self, features: Features) -> Tensor:
        x = features if isinstance(features,
                                   Tensor) else features[self.in_index]
        if x.shape[1] != self.in_channels:
            raise ValueError(
                f'in_channels is {self.in_channels}, feature {self.in_index} '
                f'has {x.shape[1]}')
        return x

    def _replace(self, features: Features, fused: Tensor) -> Features:
        """The features with another in the place of the chosen one."""
        if isinstance(features, Tensor):
            return fused
        features = list(features)
        features[self.in_index] = fused
        return tuple(features)

    def _check(self, x: Tensor, state: Memory) -> None:
        want = (x.shape[0], *x.shape[2:])
        have = (state.keys.shape[0], *state.keys.shape[3:])
        if want != have:
            raise ValueError(
                f'the state is of (N, H, W) = {have}, the feature of {want}: '
                'a state belongs to one batch of streams of one size; start '
                'with None')

    def _pair(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """Key and value of a frame, (N, 1, C, H, W)."""
        return self.memory_key(x)[:, None], self.memory_value(x)[:, None]

    def remember(self, features: Features,
                 state: Optional[Memory] = None) -> Memory:
        """Write a frame without reading: for frames that nobody looks at.

        Args:
            features (Tensor | Sequence[Tensor]): As of :meth:`forward`.
            state (Memory, optional): As of :meth:`forward`.

        Returns:
            Memory: The state that :meth:`forward` would return.
        """
        x = self._select(features)
        key, value = self._pair(x)
        if state is None:
            return Memory(key, value)
        self._check(x, state)
        if self.memory_size == 1:
            return Memory(key, value)
        kept = 1 - self.memory_size
        return Memory(
            torch.cat((state.keys[:, kept:], key), 1),
            torch.cat((state.values[:, kept:], value), 1))

    def read(self,
             x: Tensor,
             state: Memory,
             valid: Optional[Tensor] = None) -> Tensor:
        """Read the memory.

        Args:
            x (Tensor): Feature of the frame, (N, in_channels, H, W).
            state (Memory): Past frames.
            valid (Tensor, optional): Which of them are read, (N, T), bool.
                Defaults to None: all.

        Returns:
            Tensor: What was read, (N, Cv, H, W).
        """
        key = self.query_key(x)
        if self.window_size is None:
            return global_attention(key, state.keys, state.values, valid)
        return local_attention(key, state.keys, state.values,
                               self.window_size, self.constant, valid)

    def attention(self, features: Features, state: Memory) -> Tensor:
        """Where each position looks, for pictures.

        Args:
            features (Tensor | Sequence[Tensor]): As of :meth:`forward`.
            state (Memory): Past frames, not this one.

        Returns:
            Tensor: Weights of shape (N, R * R, T, H, W), see
            :func:`.local_attention_weights`.

        Raises:
            ValueError: If the read is global.
        """
        if self.window_size is None:
            raise ValueError('the global read has no window to look into')
        x = self._select(features)
        self._check(x, state)
        return local_attention_weights(
            self.query_key(x), state.keys, self.window_size, self.constant)

    def forward(self,
                features: Features,
                state: Optional[Memory] = None) -> Tuple[Features, Memory]:
        """One frame of each of N streams.

        Args:
            features (Tensor | Sequence[Tensor]): Features of the frame, the
                chosen one of shape (N, in_channels, H, W).
            state (Memory, optional): What the call for the frame before
                returned; None for the first frame of a stream.

        Returns:
            tuple: Features of the same shapes, and the state for the next
            frame, of at most ``memory_size`` frames.

        Raises:
            ValueError: If feature and state do not fit.
        """
        after = self.remember(features, state)
        if state is None:
            return features, after
        x = self._select(features)
        fused = self.fusion(self.read(x, state), self.query_value(x))
        return self._replace(features, fused), after

    def empty_state(self, features: Features) -> FixedMemory:
        """The state before the first frame, of the shape of a full one.

        Args:
            features (Tensor | Sequence[Tensor]): As of :meth:`forward`.

        Returns:
            FixedMemory: All zero.
        """
        key, value = self._pair(self._select(features))
        n, _, _, height, width = key.shape
        size = (n, self.memory_size, height, width)
        return FixedMemory(
            key.new_zeros(*size, key.shape[2]),
            value.new_zeros(*size, value.shape[2]),
            torch.zeros(n, dtype=torch.int64, device=key.device))

    def fixed_step(self, features: Features,
                   state: FixedMemory) -> Tuple[Features, FixedMemory]:
        """:meth:`forward` in constant shapes: one graph for every frame.

        Args:
            features (Tensor | Sequence[Tensor]): As of :meth:`forward`.
            state (FixedMemory): From :meth:`empty_state` or the call for the
                frame before.

        Returns:
            tuple: The features of :meth:`forward`, and the state for the next
            frame.
        """
        keys, values, frames = state
        x = self._select(features)
        age = torch.arange(self.memory_size, 0, -1, device=x.device)
        # of an empty memory all is read, and not used
        valid = (age <= frames[:, None]) | (frames == 0)[:, None]
        memory = Memory(*(_channels_second(kept) for kept in (keys, values)))
        fused = self.fusion(
            self.read(x, memory, valid), self.query_value(x))
        fused = torch.where((frames > 0).view(-1, 1, 1, 1), fused, x)
        after = (torch.cat((kept[:, 1:], new.permute(0, 1, 3, 4, 2)), 1)
                 for kept, new in zip((keys, values), self._pair(x)))
        after = FixedMemory(*after, (frames + 1).clamp(max=self.memory_size))
        return self._replace(features, fused), after


def _channels_second(x: Tensor) -> Tensor:
    """(N, S, H, W, C) as (N, S, C, H, W)."""
    return x.permute(0, 1, 4, 2, 3)
