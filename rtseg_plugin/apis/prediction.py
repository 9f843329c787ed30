"""Running sources through sessions. Needs neither torch nor the host."""
import threading
from collections import deque
from typing import (
    Any,
    Deque,
    Generator,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
)

from ..utils.deployed_folder import DeploymentError
from .frames import ArraySource, Frame, FrameSource, SourceError
from .results import FrameResult
from .video_session import BadFrameError, VideoSession

# Frames that are decoded ahead of the network.
AHEAD = 4


class _Reader:
    """Decodes ahead in a thread of its own.

    Args:
        source (FrameSource): Read to its end.
        latest (bool): Whether a frame that nobody took makes room for the
            next one; otherwise the thread waits.
        changed (threading.Condition): Told of every frame; shared.
    """

    def __init__(self, source: FrameSource, latest: bool,
                 changed: threading.Condition):
        self.source, self.latest, self.changed = source, latest, changed
        self.dropped = 0
        self.over = False
        self.error: Optional[Exception] = None
        self._frames: Deque[Frame] = deque()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for frame in self.source:
                with self.changed:
                    if self.latest:
                        self._make_room(frame)
                    while len(self._frames) >= AHEAD and not self._stopped:
                        self.changed.wait()
                    if self._stopped:
                        break
                    self._frames.append(frame)
                    self.changed.notify_all()
        except Exception as error:  # raised where the frames are taken
            self.error = error
        finally:
            self.source.close()
            with self.changed:
                self.over = True
                self.changed.notify_all()

    def _make_room(self, frame: Frame) -> None:
        """Leave out what a newer frame, or a newer problem, takes the place
        of: a problem takes none of a frame."""
        bad = frame.problem is not None
        kept = [f for f in self._frames if (f.problem is not None) != bad]
        self.dropped += len(self._frames) - len(kept)
        self._frames = deque(kept)

    def ready(self) -> bool:
        """Whether take() has something to say."""
        return bool(self._frames) or self.over

    def take(self) -> Optional[Frame]:
        """The next frame, None after the last; waits for it."""
        with self.changed:
            while not self.ready():
                self.changed.wait()
            if self._frames:
                frame = self._frames.popleft()
                self.changed.notify_all()
                return frame
        if self.error is not None:
            raise self.error
        return None

    def stop(self) -> None:
        """Let the thread end, and wait a little for it."""
        with self.changed:
            self._stopped = True
            self._frames.clear()
            self.changed.notify_all()
        self.source.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(2)


class _Direct:
    """As a reader, in the caller's thread: for arrays, which need no decoding
    and may be made in a buffer that their maker uses again."""

    dropped = 0

    def __init__(self, source: FrameSource):
        self.source = source
        self._frames = iter(source)

    def ready(self) -> bool:
        return True

    def take(self) -> Optional[Frame]:
        return next(self._frames, None)

    def stop(self) -> None:
        self.source.close()


class Stream:
    """What became of one source.

    Attributes:
        name (str): As it was given.
        stem (str): Name for output files.
        still (bool): Whether these were separate images.
        live (bool): Whether frames come when they come.
        fps (float): As the source says.
        uneven (bool): Whether frames are shown at their times instead.
        length (int | None): How many frames were announced.
        decoder (str): What decoded them.
        frames (int): How many came out, bad ones counted.
        good (int): How many of these could be used.
        dropped (int): How many of a live source were left out, because newer
            ones had come.
        ended (str | None): Why it ended; None while it runs.
        error (Exception | None): If that was one.
        work_size (tuple[int, int] | None): Height and width that the network
            worked at last.
    """

    def __init__(self, source: FrameSource, reader: Any,
                 session: VideoSession):
        self._source, self._reader, self._session = source, reader, session
        self.name, self.stem = source.name, source.stem
        self.still, self.live = source.still, source.live
        self.fps, self.uneven = source.fps, source.uneven
        self.length = source.length
        self.decoder = source.decoder
        self.frames = self.good = 0
        self.ended: Optional[str] = None
        self.error: Optional[Exception] = None
        self.work_size: Optional[Tuple[int, int]] = None
        self._first_problem: Optional[str] = None

    @property
    def dropped(self) -> int:
        """How many live frames were left out."""
        return self._reader.dropped

    def target(self, result: FrameResult) -> Optional[str]:
        """Name for what is written of a frame; None for a single image."""
        return self._source.target(result.source or self.name, result.index)

    def _of_separate_images(self) -> bool:
        """Whether there are more images, of which none depends on another."""
        session = self._session
        alone = not session.network.stateful or session.restart_after == 1
        return self.still and self.length != 1 and alone

    def _take(self) -> Optional[Frame]:
        """The next frame; None if there is none, and then it has ended."""
        try:
            frame = self._reader.take()
        except Exception as error:
            self._end(f'error: {error}', error)
            return None
        if frame is None:
            self._end(self._source.ended or 'it ended')
        return frame

    def _note(self, result: FrameResult) -> None:
        self.frames += 1
        if result.problem is None:
            self.good += 1
            assert result.frame is not None  # a good one has it
            self.work_size = self._session.work_size(result.frame)
        if self._first_problem is None:
            self._first_problem = result.problem

    def _end(self, why: str, error: Optional[Exception] = None) -> None:
        if self.ended is not None:
            return
        self.ended, self.error = why, error
        self._reader.stop()

    def _check(self) -> None:
        """Note an error if nothing came of it."""
        if self.error is None and not self.good:
            problem = (f'none of its {self.frames} frames could be used '
                       f'({self._first_problem})' if self.frames else
                       'it gave no frame')
            self.error = SourceError(f'{self.name}: {problem}; {self.ended}')


class Prediction:
    """Results of one or several streams, one by one as they come.

    An iterator: nothing is kept of what it has given. Side by side, streams
    take turns, and those that agree in size share a forward; a live one is
    never waited for while others have frames. A stream that fails ends, the
    others go on, and its error is raised behind their last result.

    Args:
        sources (Sequence[FrameSource]): Opened.
        sessions (Sequence[VideoSession]): One for each.
        latest (bool): Whether frames of live sources are dropped for which
            there was no time. Defaults to True.
        max_frames (int, optional): Stop each after so many. Defaults to None.

    Attributes:
        streams (list[Stream]): What has become of each source so far.

    Raises:
        SourceError: While iterating, if a source gives no good frame.
    """

    def __init__(self,
                 sources: Sequence[FrameSource],
                 sessions: Sequence[VideoSession],
                 latest: bool = True,
                 max_frames: Optional[int] = None):
        changed = threading.Condition()
        self.streams: List[Stream] = []
        for source, session in zip(sources, sessions):
            if isinstance(source, ArraySource):
                reader: Any = _Direct(source)
            else:
                reader = _Reader(source, source.live and latest, changed)
            self.streams.append(Stream(source, reader, session))
        # knows nothing of this object, which so ends with its last name, and
        # with it its readers
        self._results = _run(self.streams, changed, max_frames)

    def __iter__(self) -> 'Prediction':
        return self

    def __next__(self) -> FrameResult:
        return next(self._results)

    def close(self, why: str = 'stopped') -> None:
        """Stop reading, as a loop over it does at its end.

        Args:
            why (str): What ``ended`` says of streams that still ran.
                Defaults to 'stopped'.
        """
        for stream in self.streams:
            stream._end(why)
        self._results.close()

    def __enter__(self) -> 'Prediction':
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, '_results'):
            self.close()


def _run(streams: Sequence[Stream], changed: threading.Condition,
         max_frames: Optional[int]) -> Generator[FrameResult, None, None]:
    """What a prediction gives."""
    why = 'stopped'
    try:
        while True:
            running = [(i, stream) for i, stream in enumerate(streams)
                       if stream.ended is None]
            if not running:
                break
            taken = _take(running, changed)
            for i, frame, result in _feed(taken):
                problem = result.problem and (frame.problem or result.problem)
                result = result._replace(
                    source=frame.source, stream=i, time=frame.time,
                    problem=problem)
                streams[i]._note(result)
                yield result
            for _, stream in running:
                if stream.frames == max_frames:
                    stream._end(f'{max_frames} frames were asked for')
    except Exception as error:
        why = f'error: {error}'
        raise
    except (KeyboardInterrupt, SystemExit):
        why = 'interrupted'
        raise
    finally:
        for stream in streams:
            stream._end(why)
    for stream in streams:
        stream._check()
    for stream in streams:
        if stream.error is not None:
            raise stream.error


def _take(running: Sequence[Tuple[int, Stream]], changed: threading.Condition
          ) -> List[Tuple[int, Stream, Frame]]:
    """A frame of each stream that need not be waited for."""
    with changed:
        while not any(stream._reader.ready() or not stream.live
                      for _, stream in running):
            changed.wait()
    taken = []
    for i, stream in running:
        if not stream.live or stream._reader.ready():
            frame = stream._take()
            if frame is not None:
                taken.append((i, stream, frame))
    return taken


def _feed(taken: Sequence[Tuple[int, Stream, Frame]]
          ) -> Iterator[Tuple[int, Frame, FrameResult]]:
    """Results of frames; who changes its size, or may not be bad, ends.

    An image that the network refuses, among others that do not depend on it,
    is one more that cannot be used.
    """
    sessions = [stream._session for _, stream, _ in taken]
    frames = [frame.image for _, _, frame in taken]
    try:
        results = VideoSession.feed_together(sessions, frames)
    except BadFrameError as error:
        results = error.results  # all frames have been fed
    except ValueError as error:
        if len(taken) > 1:
            for one in taken:  # nothing has been fed
                yield from _feed([one])
            return
        (i, stream, frame), = taken
        if (isinstance(error, DeploymentError)  # of what runs it
                or not stream._of_separate_images()):
            stream._end(f'error: {error}', error)
            return
        without = frame._replace(image=None, problem=f'refused: {error}')
        yield from _feed([(i, stream, without)])
        return
    for (i, stream, frame), result in zip(taken, results):
        if result.problem and stream._session.on_bad_frame == 'raise':
            bad = BadFrameError(
                f'{stream.name}: frame {result.index} is '
                f'{frame.problem or result.problem}', [result])
            stream._end(f'error: {bad}', bad)
        else:
            yield i, frame, result
