"""A segmentor in PyTorch, frames in and labels out."""
import contextlib
from typing import Any, List, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from mmseg.models import SegDataPreProcessor
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from ..models import VideoSegDataPreProcessor
from ..models.layers.label_map import label_map

_PRECISIONS = dict(fp32=None, bf16=torch.bfloat16, fp16=torch.float16)


class TorchNetwork:
    """What a session runs: any segmentor, with memory or without.

    A deployed folder has the same attributes and :meth:`step`.

    Args:
        model (nn.Module): An ``EncoderDecoder`` or one derived from it, in
            eval mode.
        precision (str, optional): 'fp32', 'bf16' or 'fp16', by autocast.
            Defaults to None: as the weights are.

    Attributes:
        size (None): Frames of any size are taken.
        stateful (bool): Whether frames depend on the frames before them.
        num_classes (int): How many labels there are.
        classes (Sequence[str] | None): Their names, as the model's
            ``dataset_meta`` has them.
        palette (Sequence | None): RGB of each, likewise.

    Raises:
        TypeError: If the model is no such segmentor.
        ValueError: If it is in training mode, or there is no such precision.
    """

    size = None

    def __init__(self, model: nn.Module, precision: Optional[str] = None):
        if not isinstance(model, EncoderDecoder):
            raise TypeError(
                f'{type(model).__name__} is no segmentor: its type must be '
                'EncoderDecoder or one derived from it, such as '
                'VideoEncoderDecoder')
        if model.training:
            raise ValueError('the model is in training mode: call eval()')
        if precision not in (None, *_PRECISIONS):
            raise ValueError(f'precision must be one of {list(_PRECISIONS)}, '
                             f'got {precision!r}')
        self.model = model
        self.precision = precision
        meta = getattr(model, 'dataset_meta', None) or {}
        self.classes = meta.get('classes')
        self.palette = meta.get('palette')
        self.num_classes = model.num_classes
        self.stateful = bool(getattr(model, 'stateful', False))
        self.device = next(model.parameters()).device
        self._numbers: Optional[np.ndarray] = None

    def step(self, frame: np.ndarray, state: Any = None) -> Tuple[Any, Any]:
        """Labels of the next frame of a stream, or of an image.

        Args:
            frame (np.ndarray): (H, W, 3), uint8, BGR.
            state (NamedTuple, optional): What the step before returned; None
                for the first frame. Defaults to None.

        Returns:
            tuple[np.ndarray, NamedTuple]: Labels (H, W), and the state for
            the next frame, None for a network without memory.
        """
        labels, states = self.step_together([frame], [state])
        return labels[0], states[0]

    def alike(self, state: Any) -> tuple:
        """Streams for which this is equal can be stepped together."""
        shapes = () if state is None else tuple(
            leaf.shape[1:] for leaf in tree_flatten(state)[0])
        return id(self.model), self.precision, state is None, shapes

    @torch.no_grad()
    def step_together(
            self, frames: Sequence[np.ndarray],
            states: Sequence[Any]) -> Tuple[np.ndarray, List[Any]]:
        """:meth:`step` of several streams in one forward.

        Args:
            frames (Sequence[np.ndarray]): Of one size.
            states (Sequence): :meth:`alike`.

        Returns:
            tuple[np.ndarray, list]: Labels (N, H, W) and the states.
        """
        dtype = _PRECISIONS.get(self.precision or '')
        autocast = contextlib.nullcontext() if dtype is None else (
            torch.autocast(self.device.type, dtype))
        with autocast:
            batch = self.prepare(frames)
            logits, state = self.logits(batch, _stack(states))
        head = self.model.decode_head
        labels = label_map(
            logits,
            batch.shape[2:],
            getattr(head, 'align_corners', False),
            getattr(head, 'threshold', None) or 0.5,
            crop=frames[0].shape[:2])  # padding is below and to the right
        if len(frames) == 1 or state is None:
            after = [state] * len(frames)
        else:
            after = [tree_map(lambda x: x[i:i + 1], state)  # noqa: B023
                     for i in range(len(frames))]
        return labels.cpu().numpy(), after  # waits for the device

    def prepare(self, frames: Sequence[np.ndarray]) -> Tensor:
        """The model's data preprocessor, as in its own tests.

        Args:
            frames (Sequence[np.ndarray]): (H, W, 3), uint8, BGR, of one size.

        Returns:
            Tensor: (N, 3, H', W'), normalised, perhaps padded.
        """
        processor = self.model.data_preprocessor
        if (self.device.type == 'cpu' and not processor.test_cfg
                and hasattr(processor, 'mean') and type(processor)
                in (SegDataPreProcessor, VideoSegDataPreProcessor)):
            images = [self._normalised(frame) for frame in frames]
            batch = np.stack(images) if len(images) > 1 else images[0][None]
            # channels last, as the network takes it
            return torch.from_numpy(batch).permute(0, 3, 1, 2)
        inputs = [
            torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)
            for frame in frames
        ]
        data = dict(
            inputs=inputs, data_samples=[SegDataSample() for _ in inputs])
        return processor(data, False)['inputs']

    def _normalised(self, frame: np.ndarray) -> np.ndarray:
        """The preprocessor's 256 numbers of each channel, looked up."""
        processor = self.model.data_preprocessor
        if self._numbers is None:
            values = torch.arange(256.).view(1, 256, 1)
            mean, std = (x.view(1, 1, 3)
                         for x in (processor.mean, processor.std))
            self._numbers = ((values - mean) / std).numpy()
        if processor.channel_conversion:
            frame = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        return cv2.LUT(frame, self._numbers)

    def logits(self, batch: Tensor, state: Any = None) -> Tuple[Tensor, Any]:
        """Logits as the head gives them, before they are resized.

        Args:
            batch (Tensor): Normalised frames (N, 3, H, W).
            state (NamedTuple, optional): Defaults to None.

        Returns:
            tuple[Tensor, NamedTuple]: Logits (N, C, h, w), of the size of the
            frames for heads and test modes that do more than to resize, and
            the state.
        """
        model, head = self.model, self.model.decode_head
        plain = (model.test_cfg.get('mode', 'whole') == 'whole'
                 and only_resizes(head))
        if not plain and not self.stateful:
            size = batch.shape[2:]
            meta = dict(ori_shape=size, img_shape=size, pad_shape=size,
                        padding_size=[0] * 4)
            return model.inference(batch, [meta] * len(batch)), None
        if not plain:
            return model.step(batch, state)
        if hasattr(model, 'run_clip'):
            features, state = model.run_clip(batch, state=state)
            return head(features[-1]), state
        return head(model.extract_feat(batch)), None


def only_resizes(head: nn.Module) -> bool:
    """Whether a head's predict() is forward() and a resize of its logits."""
    kind: Any = type(head)
    if getattr(kind, 'predict', None) is not BaseDecodeHead.predict:
        return False
    # where heads of this package have their own, it resizes faster
    return (kind.predict_by_feat is BaseDecodeHead.predict_by_feat
            or kind.predict_by_feat.__module__.startswith('rtseg_plugin.'))


def _stack(states: Sequence[Any]) -> Any:
    """States of single streams to the state of their batch."""
    if states[0] is None or len(states) == 1:
        return states[0]
    leaves = [tree_flatten(state)[0] for state in states]
    return tree_unflatten([torch.cat(x) for x in zip(*leaves)],
                          tree_flatten(states[0])[1])
