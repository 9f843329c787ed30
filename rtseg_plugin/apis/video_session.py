"""Streams: one session per stream, several sessions on one network."""
import time
from typing import (
    Any,
    Callable,
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import cv2
import numpy as np

from .resize import INTERPOLATIONS, Size, resize_frame
from .results import FrameResult, colour_table

BAD_FRAME_POLICIES = ('hold', 'skip', 'raise')


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


class _Job(NamedTuple):
    """A good frame on its way through the network."""
    number: int  # of its session among those fed together
    session: 'VideoSession'
    frame: np.ndarray
    size: Size
    state: Any

    def resized(self) -> np.ndarray:
        """What the network gets."""
        return resize_frame(self.frame, self.size, self.session.interpolation,
                            self.session.backend)

    def full_size(self, labels: np.ndarray) -> np.ndarray:
        """Labels of the size of the frame."""
        if labels.shape == self.frame.shape[:2]:
            return labels
        narrow = labels if labels.dtype == np.uint8 else labels.astype('i4')
        return cv2.resize(
            narrow, self.frame.shape[1::-1],
            interpolation=cv2.INTER_NEAREST).astype(labels.dtype, copy=False)


class VideoSession:
    """One stream: its state, its size and what to do about bad frames.

    The network stays free of state, so any number of sessions can share it,
    in any order (from one thread). A new stream is a new session. A network
    without memory is a stream whose frames do not depend on each other.

    A frame that cannot be used (None for a dropped one, no array, not uint8,
    not (H, W, 3)) never stops a stream by itself; it is reported in
    ``problem``, the memory stays as it was, and ``on_bad_frame`` says what
    comes out. Where there is memory a good frame of another size than the
    first is an error at once, since nothing remembered fits it, unless all
    is forgotten before it.

    Args:
        network (nn.Module | TorchNetwork | DeployedNetwork | Segmentor): A
            segmentor in eval mode, or what runs one.
        stride (int): Every how many good frames one is remembered; all are
            segmented. LMANet was trained with neighbouring frames, 1. A
            larger stride lets its memory reach further back. Defaults to 1.
        size (tuple[int, int] | Callable, optional): Height and width that
            the network works at, or a function that gives them for a frame;
            frames are resized to it and labels back (nearest). Defaults to
            None: as a ``Segmentor`` works, else the size of the frames, or
            the only one that a deployed network takes.
        on_bad_frame (str): 'hold' repeats the last labels, 'skip' gives none,
            'raise' raises :class:`BadFrameError` (after which the session can
            go on). Defaults to 'hold'.
        restart_after (int, optional): Forget everything after so many good
            frames, as evaluation on clips does. Defaults to None: never.
        interpolation (str, optional): How frames are resized, see
            :func:`mmcv.imresize`. Defaults to None: as a ``Segmentor`` does,
            else 'bilinear'.
        backend (str, optional): What resizes them, 'cv2' or 'pillow', whose
            interpolation smooths when it makes smaller: as the recipe's
            ``Resize``. Defaults to None: as a ``Segmentor`` does, else 'cv2'.

    Attributes:
        state (Any): What the next frame sees; None before the first one.
        frame_shape (tuple[int, int, int] | None): Of the last good frame.

    Raises:
        TypeError: If the network is none.
        ValueError: If an argument is out of range, or the network is in
            training mode.
    """

    def __init__(self,
                 network: Any,
                 stride: int = 1,
                 size: Union[Size, Callable[[np.ndarray], Size], None] = None,
                 on_bad_frame: str = 'hold',
                 restart_after: Optional[int] = None,
                 interpolation: Optional[str] = None,
                 backend: Optional[str] = None):
        if hasattr(network, 'predict') and hasattr(network, 'network'):
            size = size or network.work_size
            interpolation = interpolation or network.interpolation
            backend = backend or network.resize_backend
            network = network.network
        if not hasattr(network, 'step') or hasattr(network, 'modules'):
            from .torch_network import TorchNetwork
            network = TorchNetwork(network)
        if stride < 1:
            raise ValueError(f'stride must be at least 1, got {stride}')
        if restart_after is not None and restart_after < 1:
            raise ValueError('restart_after must be at least 1, got '
                             f'{restart_after}')
        if on_bad_frame not in BAD_FRAME_POLICIES:
            raise ValueError(f'on_bad_frame must be one of '
                             f'{BAD_FRAME_POLICIES}, got {on_bad_frame!r}')
        interpolation, backend = interpolation or 'bilinear', backend or 'cv2'
        if backend not in INTERPOLATIONS:
            raise ValueError(f'backend must be one of {list(INTERPOLATIONS)}, '
                             f'got {backend!r}')
        if interpolation not in INTERPOLATIONS[backend]:
            raise ValueError(
                f'interpolation of {backend} must be one of '
                f'{list(INTERPOLATIONS[backend])}, got {interpolation!r}')
        self.network = network
        self.stride = stride
        self.size = size or network.size
        self.on_bad_frame = on_bad_frame
        self.restart_after = restart_after
        self.interpolation = interpolation
        self.backend = backend
        self.state: Any = None
        self.frame_shape: Optional[Tuple[int, int, int]] = None
        self._colours = colour_table(
            network.palette, getattr(network, 'num_classes', 256))
        self._fed = 0
        self._good = 0
        self._last: Tuple[Optional[np.ndarray], ...] = (None, None)

    def feed(self, frame: Optional[np.ndarray]) -> FrameResult:
        """Segment the next frame.

        Args:
            frame (np.ndarray, optional): (H, W, 3), uint8, BGR as OpenCV
                reads it; None for a frame that was lost.

        Returns:
            FrameResult: Labels and how long it took.

        Raises:
            ValueError: If there is memory and the size differs from that of
                the first frame.
            BadFrameError: For a bad frame, under the policy 'raise'.
        """
        return self.feed_together([self], [frame])[0]

    def work_size(self, frame: np.ndarray) -> Size:
        """Height and width that the network works at for such a frame."""
        if self.size is None:
            return frame.shape[0], frame.shape[1]
        height, width = (
            self.size(frame) if callable(self.size) else self.size)
        return height, width

    @staticmethod
    def feed_together(
            sessions: Sequence['VideoSession'],
            frames: Sequence[Optional[np.ndarray]]) -> List[FrameResult]:
        """Segment one frame of each of several streams, in few forwards.

        Streams whose network, work size and amount of memory agree share a
        forward; the others get their own. The results are those of feeding
        each session by itself.

        Args:
            sessions (Sequence[VideoSession]): Different streams.
            frames (Sequence[np.ndarray | None]): The next frame of each.

        Returns:
            list[FrameResult]: In the order of the sessions.

        Raises:
            ValueError: If the numbers differ, a session is named twice or a
                frame's size differs from its stream's; nothing has been fed
                then, nor after any error of the network.
            BadFrameError: For bad frames under the policy 'raise'. All frames
                have been fed and counted then; the results are in ``results``
                of the error.
        """
        if len(sessions) != len(frames):
            raise ValueError(
                f'{len(sessions)} sessions but {len(frames)} frames')
        if len({id(session) for session in sessions}) != len(sessions):
            raise ValueError('a session is named twice')
        problems = [s._problem(frame) for s, frame in zip(sessions, frames)]
        groups: Dict[tuple, List[_Job]] = {}
        for i, (frame, problem) in enumerate(zip(frames, problems)):
            if problem is None:
                assert frame is not None  # which is a problem
                job = sessions[i]._job(i, frame)
                groups.setdefault(job.session._alike(job), []).append(job)
        # nothing is accepted before all of it has run
        done = [(job, outcome) for jobs in groups.values()
                for job, outcome in zip(jobs, _run(jobs))]
        by_number: Dict[int, FrameResult] = {}
        for job, outcome in done:
            by_number[job.number] = job.session._accept(job.frame, *outcome)
        bad = []
        for i, problem in enumerate(problems):
            if problem is not None:
                by_number[i] = sessions[i]._reject(problem)
                if sessions[i].on_bad_frame == 'raise':
                    stream = f'stream {i}: ' if len(sessions) > 1 else ''
                    bad.append(f'{stream}frame {by_number[i].index} is '
                               f'{problem}')
        results = [by_number[i] for i in range(len(sessions))]
        if bad:
            raise BadFrameError('; '.join(bad), results)
        return results

    def _problem(self, frame: Any) -> Optional[str]:
        """What is wrong with a frame; another size may raise."""
        if frame is None:
            return 'dropped: no frame came'
        if not isinstance(frame, np.ndarray):
            return f'not an array but {type(frame).__name__}'
        if frame.dtype != np.uint8:
            return f'of type {frame.dtype}, not uint8'
        if frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
            return f'of shape {frame.shape}, not (height, width, 3)'
        if (self.network.stateful and self._remembered() is not None
                and self.frame_shape not in (None, frame.shape)):
            raise ValueError(
                f'frame {self._fed} is {frame.shape[0]}x{frame.shape[1]}, the '
                f'stream began with {self.frame_shape[0]}x'
                f'{self.frame_shape[1]}: start a new session for a new size')
        return None

    def _job(self, number: int, frame: np.ndarray) -> _Job:
        return _Job(number, self, frame, self.work_size(frame),
                    self._remembered())

    def _remembered(self) -> Any:
        """What the next good frame sees."""
        if self.restart_after and self._good % self.restart_after == 0:
            return None
        return self.state

    def _alike(self, job: _Job) -> tuple:
        """Jobs for which this is equal fit into one forward."""
        if not hasattr(self.network, 'step_together'):
            return (job.number, )
        return (job.size, self.interpolation, self.backend,
                self.network.alike(job.state))

    def _reject(self, problem: str) -> FrameResult:
        index, self._fed = self._fed, self._fed + 1
        frame, held = (self._last if self.on_bad_frame == 'hold' else
                       (None, None))
        return FrameResult(index, held, 0., problem, frame=frame,
                           colours=self._colours)

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
        self._last = frame, labels
        return FrameResult(index, labels, seconds, frame=frame,
                           colours=self._colours)


def _run(jobs: Sequence[_Job]) -> List[tuple]:
    """Labels of the size of the frames, states and seconds."""
    start = time.perf_counter()
    network, frames = jobs[0].session.network, [j.resized() for j in jobs]
    if hasattr(network, 'step_together'):
        labels, states = network.step_together(frames, [j.state for j in jobs])
    else:
        one, state = network.step(frames[0], jobs[0].state)
        labels, states = [one], [state]
    labels = [job.full_size(one) for job, one in zip(jobs, labels)]
    seconds = time.perf_counter() - start
    return [(one, state, seconds) for one, state in zip(labels, states)]


feed_together = VideoSession.feed_together
