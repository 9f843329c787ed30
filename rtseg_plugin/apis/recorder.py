"""Overlays, labels and latencies of what was predicted, written to files.

Needs neither torch nor the host.
"""
import json
import queue
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, TextIO, Union

import cv2
import numpy as np

from .prediction import Stream
from .results import FrameResult
from .video_sources import import_av
from .video_writer import VideoWriter

SAVE = ('overlay', 'labels', 'both')
# Problems that a report tells one by one.
MOST_PROBLEMS = 1000


class Latency:
    """Average, median, 99th percentile and maximum of what takes time.

    The first frame is reported apart, and the first ``warm_up`` frames, while
    caches and the memory fill, stay out of the statistics. Nothing is kept
    but counts: the median and the percentile are right to 0.1 %.

    Args:
        warm_up (int): Frames to leave out. Defaults to 5.
    """

    _LOWEST, _STEP = 1e-6, np.log(1.002)

    def __init__(self, warm_up: int = 5):
        self.warm_up = warm_up
        self._first: Optional[float] = None
        self._seen = self._count = 0
        self._total = self._most = 0.
        self._counts = np.zeros(12000, np.int64)  # up to 7 hours

    def add(self, seconds: float) -> None:
        """Of one good frame."""
        if self._first is None:
            self._first = seconds
        self._seen += 1
        if self._seen <= self.warm_up:
            return
        self._count += 1
        self._total += seconds
        self._most = max(self._most, seconds)
        place = np.log(max(seconds, self._LOWEST) / self._LOWEST) / self._STEP
        self._counts[min(int(place), len(self._counts) - 1)] += 1

    def _percentile(self, percent: float) -> float:
        rank = percent / 100 * (self._count - 1)
        place = np.searchsorted(np.cumsum(self._counts), rank, 'right')
        return self._LOWEST * np.exp((place + 0.5) * self._STEP)

    def summary(self) -> dict:
        """Milliseconds, with None where nothing was measured."""
        names = ('average_ms', 'median_ms', 'p99_ms', 'maximum_ms',
                 'maximum_over_median')
        values: Sequence[Optional[float]] = [None] * len(names)
        if self._count:
            seconds = [self._total / self._count, self._percentile(50),
                       min(self._percentile(99), self._most), self._most]
            values = [1e3 * x for x in seconds] + [self._most / seconds[1]]
        first = None if self._first is None else 1e3 * self._first
        return dict(zip(names, values), first_frame_ms=first,
                    warm_up_frames=min(self.warm_up, self._seen),
                    measured_frames=self._count)


class _Files:
    """What is written of one stream."""

    def __init__(self, stream: Stream, out: Optional[Path], save: str,
                 video: bool, opacity: float, warm_up: int):
        self.stream, self.out, self.opacity = stream, out, opacity
        self.overlays = save in ('overlay', 'both')
        self.labels = save in ('labels', 'both')
        self.video = video or not stream.still
        self.latency = Latency(warm_up)
        self.problems: List[dict] = []
        self.good = self.bad = 0
        self.writer: Optional[VideoWriter] = None
        self._time = 0.
        self._part: Optional[TextIO] = None
        if out is not None:
            if self.video and self.overlays:
                import_av()  # fail early
            out.mkdir(parents=True, exist_ok=True)
            self._json = out / f'{stream.stem}_latency.json'
            self._part = open(f'{self._json}.part', 'w')
            self._part.write('{"per_frame_ms": [')

    def note(self, result: FrameResult) -> None:
        """Latency and problem of one frame."""
        if result.problem is None:
            self.good += 1
            self.latency.add(result.seconds)
        else:
            self.bad += 1
            if len(self.problems) < MOST_PROBLEMS:
                self.problems.append(
                    dict(frame=result.index, problem=result.problem))
        if self._part is not None:
            ms = 'null' if result.problem else f'{1e3 * result.seconds:.3f}'
            comma = ', ' if self.good + self.bad > 1 else ''
            self._part.write(f'{comma}{ms}')

    def draw(self, result: FrameResult) -> None:
        """Pictures of one frame."""
        if self.out is None or result.labels is None or (
                result.problem and not self.video):
            return
        # a damaged image has no labels, and is no frame that holds others
        if self.labels and not (result.problem and self.stream.still):
            result.save(self._place(self.out, 'labels', result), 'labels')
        if not self.overlays:
            return
        if not self.video:
            result.save(self._place(self.out, 'overlay', result),
                        opacity=self.opacity)
            return
        picture = result.overlay(self.opacity)
        if self.writer is None:
            self.writer = VideoWriter(
                self.out / f'{self.stream.stem}_overlay.mp4',
                picture.shape[:2], self.stream.fps)
        if picture.shape[:2] != self.writer.size:
            picture = cv2.resize(picture, self.writer.size[::-1])
        self.writer.write(picture, self._time_of(result))

    def _time_of(self, result: FrameResult) -> Optional[float]:
        """When a frame is shown, where not all are shown equally long."""
        if not self.stream.uneven:
            return None
        if result.time is None:  # damaged
            self._time += 1 / self.stream.fps
        else:
            self._time = max(self._time, result.time)
        return self._time

    def _place(self, out: Path, what: str, result: FrameResult) -> Path:
        stem, inner = self.stream.stem, self.stream.target(result)
        if inner is None:  # the only one
            return out / f'{stem}_{what}.png'
        return out / f'{stem}_{what}' / f'{inner}.png'

    def finish(self, facts: dict) -> dict:
        """Close the files; what the JSON says but for ``per_frame_ms``."""
        stream = self.stream
        if self.writer is not None:
            self.writer.close()
        overlay = None if self.writer is None else str(self.writer.path)
        result = dict(
            source=stream.name,
            **facts,
            decoder=stream.decoder,
            work_size=stream.work_size,
            frames=self.good + self.bad,
            announced_frames=stream.length,
            good_frames=self.good,
            bad_frames=self.bad,
            dropped_frames=stream.dropped,
            ended=stream.ended,
            **self.latency.summary(),
            problems=self.problems,
            overlay=overlay)
        if self._part is not None:
            self._part.write('],\n' + json.dumps(result, indent=1)[2:])
            self._part.close()
            Path(self._part.name).replace(self._json)
        return result


class Recorder:
    """Takes results and writes, in a thread of its own, what is asked for.

    Of a video: ``{name}_overlay.mp4``, or ``{name}_labels/000000.png``, ...;
    of images ``{name}_overlay/{image}.png`` and ``{name}_labels/{image}.png``
    (of a single one ``{name}_overlay.png``); of either
    ``{name}_latency.json``. Files are whole or have 'part' in their name.

    Args:
        streams (Sequence[Stream]): Of the prediction.
        out (str | Path, optional): Folder. Defaults to None: nothing is
            written, only counted.
        save (str): 'overlay', 'labels' or 'both'. Defaults to 'overlay'.
        video (bool): Whether images, too, become a video, as the frames of
            one. Defaults to False.
        opacity (float): Of overlays. Defaults to 0.5.
        warm_up (int): See :class:`Latency`. Defaults to 5.
        facts (dict, optional): Written to each JSON: what ran.

    Attributes:
        reports (list[dict]): What :meth:`close` returns, also where it raises.

    Raises:
        ValueError: If there is no such thing to save.
        SourceError: If a video is to be written and PyAV is not installed.
    """

    def __init__(self,
                 streams: Sequence[Stream],
                 out: Union[str, Path, None] = None,
                 save: str = 'overlay',
                 video: bool = False,
                 opacity: float = 0.5,
                 warm_up: int = 5,
                 facts: Optional[Dict[str, Any]] = None):
        if save not in SAVE:
            raise ValueError(f'save must be one of {SAVE}, got {save!r}')
        out = None if out is None else Path(out)
        self.facts = facts or {}
        self._files = [_Files(stream, out, save, video, opacity, warm_up)
                       for stream in streams]
        self.reports: List[dict] = []
        self._error: Optional[BaseException] = None
        self._queue: queue.Queue = queue.Queue(4)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def take(self, result: FrameResult) -> None:
        """Note down and draw one frame; raises what went wrong before."""
        if self._error is not None:
            raise self._error
        self._files[result.stream].note(result)
        self._queue.put(result)

    def _work(self) -> None:
        while True:
            result = self._queue.get()
            if result is None:
                return
            if self._error is None:
                try:
                    self._files[result.stream].draw(result)
                except Exception as error:  # raised in take() or close()
                    self._error = error

    def close(self) -> List[dict]:
        """Finish all files.

        Returns:
            list[dict]: Per stream what the JSON says, but for
            ``per_frame_ms``: the summary of latencies, what was read and not,
            ``problems`` and why it ended.

        Raises:
            Exception: What writing a picture raised, when all that can be
            written has been.
        """
        self._queue.put(None)
        self._thread.join()
        for files in self._files:
            try:
                self.reports.append(files.finish(self.facts))
            except Exception as error:
                self._error = self._error or error
        if self._error is not None:
            raise self._error
        return self.reports
