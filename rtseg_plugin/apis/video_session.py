"""Streams: one session per stream, several sessions on one model."""
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import mmcv
import numpy as np
import torch
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

BAD_FRAME_POLICIES = ('hold', 'skip', 'raise')
RESIZE_BACKENDS = ('cv2', 'pillow')


class FrameResult(NamedTuple):
    """What a session says about one frame.

    Attributes:
        index (int): Number of the frame in its stream, bad ones counted.
        labels (np.ndarray | None): Class of each pixel, (H, W) of the frame,
            uint8 or int64 for more than 256 classes. None for a bad frame
            that is not held, or before the first good one.
        seconds (float): From the frame to its labels; of a batch, for all.
        problem (str | None): What is wrong with a bad frame, or None.
    """
    index: int
    labels: Optional[np.ndarray]
    seconds: float
    problem: Optional[str] = None


class BadFrameError(ValueError):
    """A frame is no image, under the policy 'raise'.

    Attributes:
        results (list[FrameResult]): What :func:`feed_together` would have
            returned, of the other streams too.
    """

    def __init__(self, message: str, results: List[FrameResult]):
        super().__init__(message, results)
        self.results = results

    def __str__(self) -> str:
        return self.args[0]


class VideoSession:
    """One stream: its state, its size and what to do about bad frames.

    The model stays free of state, so any number of sessions can share it,
    in any order (from one thread). A new stream is a new session.

    A frame that cannot be used (None for a dropped one, no array, not uint8,
    not (H, W, 3)) never stops a stream by itself; it is reported in
    ``problem``, the memory stays as it was, and ``on_bad_frame`` says what
    comes out. A good frame of another size than the first is an error at
    once, since nothing remembered fits it.

    Args:
        model (nn.Module): A :class:`.VideoEncoderDecoder`, in eval mode.
        stride (int): Every how many good frames one is remembered; all are
            segmented. LMANet was trained with neighbouring frames, 1. A
            larger stride lets its memory reach further back. Defaults to 1.
        size (tuple[int, int], optional): Height and width that the network
            works at; frames are resized to it and labels back (nearest).
            Defaults to None: the size of the frames.
        on_bad_frame (str): 'hold' repeats the last labels, 'skip' gives none,
            'raise' raises :class:`BadFrameError` (after which the session can
            go on). Defaults to 'hold'.
        restart_after (int, optional): Forget everything after so many good
            frames, as evaluation on clips does. Defaults to None: never.
        interpolation (str): How frames are resized, see
            :func:`mmcv.imresize`. Defaults to 'bilinear'.
        backend (str): What resizes them, 'cv2' or 'pillow', whose
            interpolation smooths when it makes smaller: as the recipe's
            ``Resize``. Defaults to 'cv2'.

    Raises:
        TypeError: If the model has no ``step``.
        ValueError: If an argument is out of range, or the model is in
            training mode.
    """

    def __init__(self,
                 model: nn.Module,
                 stride: int = 1,
                 size: Optional[Tuple[int, int]] = None,
                 on_bad_frame: str = 'hold',
                 restart_after: Optional[int] = None,
                 interpolation: str = 'bilinear',
                 backend: str = 'cv2'):
        if not hasattr(model, 'step'):
            raise TypeError(
                f'{type(model).__name__} has no step(frame, state): the '
                "config's model type must be VideoEncoderDecoder")
        if model.training:
            raise ValueError('the model is in training mode: call eval()')
        if stride < 1:
            raise ValueError(f'stride must be at least 1, got {stride}')
        if restart_after is not None and restart_after < 1:
            raise ValueError('restart_after must be at least 1, got '
                             f'{restart_after}')
        if on_bad_frame not in BAD_FRAME_POLICIES:
            raise ValueError(f'on_bad_frame must be one of '
                             f'{BAD_FRAME_POLICIES}, got {on_bad_frame!r}')
        if backend not in RESIZE_BACKENDS:
            raise ValueError(f'backend must be one of {RESIZE_BACKENDS}, got '
                             f'{backend!r}')
        self.model = model
        self.stride = stride
        self.size = tuple(size) if size is not None else None
        self.on_bad_frame = on_bad_frame
        self.restart_after = restart_after
        self.interpolation = interpolation
        self.backend = backend
        self.state: Any = None
        self.frame_shape: Optional[Tuple[int, int, int]] = None
        self._fed = 0
        self._good = 0
        self._last: Optional[np.ndarray] = None

    def feed(self, frame: Optional[np.ndarray]) -> FrameResult:
        """Segment the next frame.

        Args:
            frame (np.ndarray, optional): (H, W, 3), uint8, BGR as OpenCV
                reads it; None for a frame that was lost.

        Returns:
            FrameResult: Labels and how long it took.

        Raises:
            ValueError: If the size differs from that of the first frame.
            BadFrameError: For a bad frame, under the policy 'raise'.
        """
        return feed_together([self], [frame])[0]

    def _problem(self, frame: Any) -> Optional[str]:
        """What is wrong with a frame; another size raises."""
        if frame is None:
            return 'dropped: no frame came'
        if not isinstance(frame, np.ndarray):
            return f'not an array but {type(frame).__name__}'
        if frame.dtype != np.uint8:
            return f'of type {frame.dtype}, not uint8'
        if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
            return f'of shape {frame.shape}, not (height, width, 3)'
        if self.frame_shape not in (None, frame.shape):
            raise ValueError(
                f'frame {self._fed} is {frame.shape[0]}x{frame.shape[1]}, the '
                f'stream began with {self.frame_shape[0]}x'
                f'{self.frame_shape[1]}: start a new session for a new size')
        return None

    def _reject(self, problem: str) -> FrameResult:
        index, self._fed = self._fed, self._fed + 1
        held = self._last if self.on_bad_frame == 'hold' else None
        return FrameResult(index, held, 0., problem)

    def _before(self) -> Any:
        """The state that the next good frame sees."""
        if self.restart_after and self._good % self.restart_after == 0:
            return None
        return self.state

    def _accept(self, frame: np.ndarray, labels: np.ndarray, state: Any,
                seconds: float) -> FrameResult:
        since = self._good
        if self.restart_after:
            since %= self.restart_after
        if since % self.stride == 0:
            self.state = state
        index, self._fed = self._fed, self._fed + 1
        self._good += 1
        self.frame_shape = frame.shape
        self._last = labels
        return FrameResult(index, labels, seconds)


def _signature(session: VideoSession, frame: np.ndarray) -> tuple:
    """Frames with the same one fit into one forward."""
    state = session._before()
    shapes = () if state is None else tuple(
        leaf.shape[1:] for leaf in tree_flatten(state)[0])
    return (id(session.model), session.size or frame.shape[:2],
            session.interpolation, session.backend, state is None, shapes)


def _stack(states: Sequence[Any]) -> Any:
    """States of single streams to the state of their batch."""
    if states[0] is None or len(states) == 1:
        return states[0]
    leaves = [tree_flatten(state)[0] for state in states]
    return tree_unflatten([torch.cat(x) for x in zip(*leaves)],
                          tree_flatten(states[0])[1])


def _prepare(model: nn.Module, frames: Sequence[np.ndarray],
             size: Tuple[int, int], interpolation: str,
             backend: str) -> Tensor:
    """Resize and the model's data preprocessor, as in its own tests."""
    inputs = []
    for frame in frames:
        if frame.shape[:2] != size:
            frame = mmcv.imresize(
                frame,
                size[::-1],
                interpolation=interpolation,
                backend=backend)
        inputs.append(torch.from_numpy(frame).permute(2, 0, 1))
    data = dict(inputs=inputs, data_samples=[SegDataSample() for _ in inputs])
    return model.data_preprocessor(data, False)['inputs']


def _forward(sessions: Sequence[VideoSession],
             frames: Sequence[np.ndarray]) -> List[FrameResult]:
    start = time.perf_counter()
    first = sessions[0]
    model, size = first.model, first.size or frames[0].shape[:2]
    batch = _prepare(model, frames, size, first.interpolation, first.backend)
    logits, state = model.step(batch, _stack([s._before() for s in sessions]))
    # the preprocessor pads below and to the right
    logits = logits[..., :size[0], :size[1]]
    if logits.shape[1] == 1:  # as the host's postprocess_result
        labels = logits[:, 0].sigmoid() > model.decode_head.threshold
    else:
        labels = logits.argmax(1)
    if logits.shape[1] <= 256:
        labels = labels.to(torch.uint8)
    labels = labels.cpu().numpy()  # waits for the device
    seconds = time.perf_counter() - start
    results = []
    for i, (session, frame) in enumerate(zip(sessions, frames)):
        alone = len(sessions) == 1 or state is None
        own = state if alone else tree_map(
            lambda x: x[i:i + 1], state)  # noqa: B023  (called at once)
        one = labels[i]
        if one.shape != frame.shape[:2]:
            one = cv2.resize(
                one, frame.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        results.append(session._accept(frame, one, own, seconds))
    return results


@torch.no_grad()
def feed_together(
        sessions: Sequence[VideoSession],
        frames: Sequence[Optional[np.ndarray]]) -> List[FrameResult]:
    """Segment one frame of each of several streams, in as few forwards.

    Streams whose network, work size and amount of memory agree share a
    forward; the others get their own. The results are those of feeding each
    session by itself.

    Args:
        sessions (Sequence[VideoSession]): Different streams.
        frames (Sequence[np.ndarray | None]): The next frame of each.

    Returns:
        list[FrameResult]: In the order of the sessions.

    Raises:
        ValueError: If the numbers differ, a session is named twice or a
            frame's size differs from its stream's; nothing has been fed then.
        BadFrameError: For bad frames under the policy 'raise'. All frames
            have been fed and counted then; the results are in ``results`` of
            the error.
    """
    if len(sessions) != len(frames):
        raise ValueError(f'{len(sessions)} sessions but {len(frames)} frames')
    if len({id(session) for session in sessions}) != len(sessions):
        raise ValueError('a session is named twice')
    problems = [s._problem(frame) for s, frame in zip(sessions, frames)]
    groups: Dict[tuple, List[int]] = {}
    for i, problem in enumerate(problems):
        if problem is None:
            groups.setdefault(_signature(sessions[i], frames[i]), []).append(i)
    results: List[Optional[FrameResult]] = [None] * len(sessions)
    bad = []
    for i, problem in enumerate(problems):
        if problem is not None:
            results[i] = sessions[i]._reject(problem)
            if sessions[i].on_bad_frame == 'raise':
                stream = f'stream {i}: ' if len(sessions) > 1 else ''
                bad.append(f'{stream}frame {results[i].index} is {problem}')
    for group in groups.values():
        done = _forward([sessions[i] for i in group],
                        [frames[i] for i in group])
        for i, result in zip(group, done):
            results[i] = result
    if bad:
        raise BadFrameError('; '.join(bad), results)
    return results
