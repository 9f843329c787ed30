"""Segmenting whole videos: overlays and latencies."""
import json
import os.path as osp
import sys
import time
from itertools import zip_longest
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmseg.registry import DATASETS, TRANSFORMS

from ..utils.host_tools import resolve_config
from .network import load_segmentor
from .video_io import FrameSource, VideoWriter
from .video_session import FrameResult, VideoSession, feed_together


def latency_summary(seconds: Sequence[float], warm_up: int = 5) -> dict:
    """Average, median, 99th percentile and maximum of per-frame latencies.

    The first frame is reported apart, and the first ``warm_up`` frames, while
    caches and the memory fill, stay out of the statistics (if more follow).

    Args:
        seconds (Sequence[float]): Of each good frame, in order.
        warm_up (int): Frames to leave out. Defaults to 5.

    Returns:
        dict: Milliseconds, with None where nothing was measured.
    """
    ms = [1e3 * x for x in seconds]
    left_out = warm_up if len(ms) > warm_up else min(len(ms) - 1, 1)
    steady = np.array(ms[max(left_out, 0):])
    names = ('average_ms', 'median_ms', 'p99_ms', 'maximum_ms')
    if not len(steady):
        values: Sequence[Optional[float]] = [None] * 4
    else:
        values = [
            float(x) for x in (steady.mean(), np.median(steady),
                               np.percentile(steady, 99), steady.max())
        ]
    summary = dict(zip(names, values))
    summary['maximum_over_median'] = (
        summary['maximum_ms'] / summary['median_ms'] if len(steady) else None)
    summary['first_frame_ms'] = ms[0] if ms else None
    summary['warm_up_frames'] = max(left_out, 0)
    summary['measured_frames'] = len(steady)
    return summary


def overlay(frame: np.ndarray, labels: np.ndarray, palette: np.ndarray,
            opacity: float) -> np.ndarray:
    """Colours of classes over a frame.

    Args:
        frame (np.ndarray): (H, W, 3), BGR, uint8.
        labels (np.ndarray): (H, W).
        palette (np.ndarray): (256 or more, 3), BGR, uint8.
        opacity (float): Of the colours, 0 to 1.

    Returns:
        np.ndarray: (H, W, 3), uint8.
    """
    colours = palette[labels].astype(np.float32)
    return (frame * (1 - opacity) + colours * opacity).astype(np.uint8)


class _Progress:
    """One line on stderr: frames, and frames per second."""

    def __init__(self, total: Optional[int], show: bool):
        self.total, self.show = total, show
        self.done, self.start, self.shown = 0, time.perf_counter(), 0.

    def update(self, last: bool = False) -> None:
        now = time.perf_counter()
        self.done += not last
        if self.show and (last or now - self.shown > 0.2):
            self.shown = now
            of = '' if self.total is None else f'/{self.total}'
            fps = self.done / max(now - self.start, 1e-9)
            sys.stderr.write(f'\r{self.done}{of} frames, {fps:.1f} fps'
                             f'{chr(10) if last else ""}')
            sys.stderr.flush()


class VideoInferencer:
    """Segments videos frame by frame and writes overlays and latencies.

    Args:
        config (str | Path | Config): A video config, its path or the name of
            a recipe.
        checkpoint (str, optional): Defaults to None: initial weights, for
            timing only.
        device (str): Defaults to 'cpu'.
        size (tuple[int, int], optional): Height and width to work at.
            Defaults to None: as the config's test pipeline resizes, whose
            backend and interpolation hold in any case.
        stride (int): See :class:`VideoSession`. Defaults to 1.
        on_bad_frame (str): See :class:`VideoSession`. Defaults to 'hold'.

    Raises:
        FileNotFoundError: If there is no such config, or no such checkpoint.
        TypeError: If the config is not of a video segmentor.
    """

    def __init__(self,
                 config: Union[str, Path, Config],
                 checkpoint: Optional[str] = None,
                 device: str = 'cpu',
                 size: Optional[Tuple[int, int]] = None,
                 stride: int = 1,
                 on_bad_frame: str = 'hold'):
        if isinstance(config, (str, Path)):
            config = Config.fromfile(resolve_config(str(config)))
        self.config = config
        self.checkpoint = checkpoint
        self.device = device
        self.model = load_segmentor(self.config, checkpoint, device)
        self.size = size
        self.resize = self._resize()
        self.arguments: Dict[str, Any] = dict(
            stride=stride,
            on_bad_frame=on_bad_frame,
            interpolation=getattr(self.resize, 'interpolation', 'bilinear'),
            backend=getattr(self.resize, 'backend', 'cv2'))
        VideoSession(self.model, **self.arguments)  # fail early
        self.palette = self._palette()

    def _resize(self) -> Optional[BaseTransform]:
        """The first Resize of the config's test pipeline, if any."""
        steps = list(self.config.get('test_pipeline') or [])
        while steps:
            step = steps.pop(0)
            steps = list(step.get('transforms', [])) + steps
            if step['type'] == 'Resize':
                return TRANSFORMS.build(step)
        return None

    def _palette(self) -> np.ndarray:
        """Colours by class, BGR; black where the data set has none."""
        palette = np.zeros((max(256, self.model.num_classes), 3), np.uint8)
        loader = self.config.get('test_dataloader') or {}
        dataset = DATASETS.get(loader.get('dataset', {}).get('type', ''))
        colours = (getattr(dataset, 'METAINFO', None) or {}).get('palette')
        if colours is None:
            colours = np.random.default_rng(0).integers(
                0, 256, (self.model.num_classes, 3))
        palette[:len(colours)] = np.array(colours)[:, ::-1]
        return palette

    def work_size(self, frame: np.ndarray) -> Tuple[int, int]:
        """Height and width that the network works at for such frames.

        Args:
            frame (np.ndarray): (H, W, 3).

        Returns:
            tuple[int, int]: ``size``, or what the first Resize of the
            config's test pipeline makes of it.
        """
        if self.size is not None:
            return tuple(self.size)
        if self.resize is not None:
            frame = self.resize(dict(img=frame))['img']
        return frame.shape[:2]

    def __call__(self,
                 sources: Union[str, int, Sequence[Union[str, int]]],
                 out: Optional[str] = None,
                 opacity: float = 0.5,
                 max_frames: Optional[int] = None,
                 warm_up: int = 5,
                 progress: bool = True) -> List[dict]:
        """Segment one or several sources.

        Streams that run side by side and agree in size share each forward.

        Args:
            sources (str | int | Sequence): See :class:`FrameSource`.
            out (str, optional): Folder for ``{name}_overlay.mp4`` and
                ``{name}_latency.json``, numbered where sources have the same
                name. Under 'hold' a bad frame shows the good one before it.
                Defaults to None: nothing is written.
            opacity (float): Of the overlay. Defaults to 0.5.
            max_frames (int, optional): Stop after so many. Defaults to None.
            warm_up (int): See :func:`latency_summary`. Defaults to 5.
            progress (bool): Whether a line on stderr tells how far it is.
                Defaults to True.

        Returns:
            list[dict]: Per source, what the JSON holds: the summary of
            latencies, ``per_frame_ms`` (null for bad frames) and
            ``problems``.
        """
        if isinstance(sources, (str, int)):
            sources = [sources]
        opened = [FrameSource(source) for source in sources]
        names = _different([source.stem for source in opened])
        streams = [_Stream(self, source, name, out, opacity)
                   for source, name in zip(opened, names)]
        lengths = [source.length for source in opened]
        total = None if None in lengths else max(lengths)
        if max_frames is not None:
            total = min(max_frames, total or max_frames)
        bar = _Progress(total, progress)
        ended = object()
        try:
            for count, frames in enumerate(
                    zip_longest(*opened, fillvalue=ended)):
                if max_frames is not None and count >= max_frames:
                    break
                running = [(s, f) for s, f in zip(streams, frames)
                           if f is not ended]
                results = feed_together(
                    [s.session_for(f) for s, f in running],
                    [f for _, f in running])
                for (stream, frame), result in zip(running, results):
                    stream.take(frame, result)
                bar.update()
        finally:
            bar.update(last=True)
            for stream in streams:
                stream.close()
        return [stream.report(warm_up) for stream in streams]


def _different(names: Sequence[str]) -> List[str]:
    """Names with _2, _3, ... behind those that have occurred."""
    result: List[str] = []
    for name in names:
        new, number = name, 2
        while new in result or (new != name and new in names):
            new, number = f'{name}_{number}', number + 1
        result.append(new)
    return result


class _Stream:
    """What the inferencer keeps of one source: never a whole video."""

    def __init__(self, owner: VideoInferencer, source: FrameSource, name: str,
                 out: Optional[str], opacity: float):
        self.owner, self.source, self.out = owner, source, out
        self.name, self.opacity = name, opacity
        self.shown: Optional[np.ndarray] = None
        self.session = VideoSession(owner.model, **owner.arguments)
        self.writer: Optional[VideoWriter] = None
        self.seconds: List[Optional[float]] = []
        self.problems: List[dict] = []
        self.size: Optional[Tuple[int, int]] = None

    def session_for(self, frame: Optional[np.ndarray]) -> VideoSession:
        """The session, told its work size at the first frame."""
        if self.size is None and frame is not None:
            self.size = self.owner.work_size(frame)
            self.session.size = self.size
        return self.session

    def take(self, frame: Optional[np.ndarray], result: FrameResult) -> None:
        """Note down and draw one frame."""
        if result.problem:
            self.problems.append(
                dict(frame=result.index, problem=result.problem))
            self.seconds.append(None)
        else:
            self.seconds.append(result.seconds)
            self.shown = frame
        if self.out is None or result.labels is None:
            return
        frame = self.shown  # of a held frame the one that it repeats
        if self.writer is None:
            self.writer = VideoWriter(
                osp.join(self.out, f'{self.name}_overlay.mp4'),
                frame.shape[:2], self.source.fps)
        self.writer.write(
            overlay(frame, result.labels, self.owner.palette, self.opacity))

    def close(self) -> None:
        self.source.close()
        if self.writer is not None:
            self.writer.close()

    def report(self, warm_up: int) -> dict:
        """The JSON's content, written if there is a place for it."""
        good = [x for x in self.seconds if x is not None]
        result = dict(
            source=self.source.name,
            config=str(self.owner.config.filename),
            checkpoint=self.owner.checkpoint,
            device=self.owner.device,
            threads=torch.get_num_threads(),
            work_size=self.size,
            frames=len(self.seconds),
            **latency_summary(good, warm_up),
            problems=self.problems,
            overlay=None if self.writer is None else self.writer.path,
            per_frame_ms=[
                None if x is None else round(1e3 * x, 3) for x in self.seconds
            ])
        if self.out is not None:
            Path(self.out).mkdir(parents=True, exist_ok=True)
            path = osp.join(self.out, f'{self.name}_latency.json')
            with open(path, 'w') as file:
                json.dump(result, file, indent=1)
        return result
