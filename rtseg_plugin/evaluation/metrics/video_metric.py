"""What metrics of videos share: frames in order, one video at a time."""
import sys
from abc import abstractmethod
from collections import OrderedDict
from typing import Any, Dict, Iterator, NamedTuple, Optional, Sequence

import mmengine
import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from prettytable import PrettyTable


class VideoFrame(NamedTuple):
    """A predicted frame.

    Attributes:
        frame_id (int): Its number; 1 more than that of the frame before.
        path (str): Its file.
        pred (np.ndarray): Predicted labels, (H, W), uint8.
        truth (np.ndarray, optional): True labels, (H, W), uint8.
        image (np.ndarray, optional): BGR, (h, w, 3), at the network's size.
    """

    frame_id: int
    path: str
    pred: np.ndarray
    truth: Optional[np.ndarray]
    image: Optional[np.ndarray]


def areas(first: np.ndarray, second: np.ndarray, valid: np.ndarray,
          num_classes: int) -> np.ndarray:
    """Intersection and union of each class, (2, num_classes), int64."""
    first, second = first[valid], second[valid]
    both = np.bincount(first[first == second], minlength=num_classes)
    total = (
        np.bincount(first, minlength=num_classes)[:num_classes] +
        np.bincount(second, minlength=num_classes)[:num_classes])
    both = both[:num_classes]
    return np.stack([both, total - both])


def mean_iou(both_and_union: np.ndarray) -> float:
    """Mean IoU in % over the classes that occur, nan if there is none."""
    intersection, union = both_and_union
    if not union.any():
        return float('nan')
    return 100 * float((intersection[union > 0] / union[union > 0]).mean())


class Summary:
    """What is known of one video.

    Attributes:
        frame_ids (set[int]): Frames that were seen.
        joined (int): How many followed the frame before.
        areas (np.ndarray): Of prediction and truth, see :func:`areas`.
        own (Any): What the metric keeps.
    """

    def __init__(self, num_classes: int, own: Any) -> None:
        self.frame_ids = set()
        self.joined = 0
        self.areas = np.zeros((2, num_classes), np.int64)
        self.own = own


class VideoMetric(BaseMetric):
    """Base of metrics that compare frames of a video with each other.

    Takes what a video segmentor predicts from what :class:`PackClipInputs`
    packed: the last frame of each clip (``pred_sem_seg`` and ``frame_id``)
    or, where there is ``clip_pred_sem_seg``, all frames (``frame_ids``). A
    frame that comes twice, as frames of clips that overlap do, counts the
    first time. The frames of a video have to come in order and on one rank:
    :class:`VideoSampler` sees to that, and what does not is an error and not
    a number over fewer pairs. Memory is bounded by ``max_open`` videos.

    Since a sequence of empty masks is perfectly consistent, the mIoU of the
    same frames is printed beside the metric, as far as they have labels.

    Args:
        ignore_index (int): Label that is not counted. Defaults to 255.
        max_open (int): Videos that may be under way at a time. Defaults to
            16.
        num_listed (int): How many videos to list, the worst first. Defaults
            to 10.
        out_file (str, optional): JSON to write with the figures of all
            videos. Defaults to None.
        collect_device (str): See the host's metrics. Defaults to 'cpu'.
        prefix (str, optional): See the host's metrics. Defaults to None.
    """

    needs_images = False

    def __init__(self,
                 ignore_index: int = 255,
                 max_open: int = 16,
                 num_listed: int = 10,
                 out_file: Optional[str] = None,
                 collect_device: str = 'cpu',
                 prefix: Optional[str] = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if max_open < 1:
            raise ValueError(f'max_open is {max_open}, not at least 1')
        self.ignore_index = ignore_index
        self.max_open = max_open
        self.num_listed = num_listed
        self.out_file = out_file
        self._summaries: Dict[str, Summary] = {}
        # of each open video the last frame's number and what advance() gave
        self._open: 'OrderedDict[str, tuple]' = OrderedDict()

    @property
    def num_classes(self) -> int:
        """Classes of the data set."""
        number = len(self.dataset_meta['classes'])
        if number > 255:
            raise ValueError(f'{type(self).__name__} counts labels of 8 bits, '
                             f'of which one is void, not {number} classes')
        return number

    @abstractmethod
    def new(self) -> Any:
        """Figures of a video before its first frame, ``Summary.own``."""

    @abstractmethod
    def advance(self, own: Any, state: Any, frame: VideoFrame) -> Any:
        """Count a frame in.

        Args:
            own (Any): Figures of the video, to be changed in place.
            state (Any): What this returned for the frame before; None for
                the first frame of a video and after a gap.
            frame (VideoFrame): The frame.

        Returns:
            Any: What the next frame needs.
        """

    @abstractmethod
    def merge(self, own: Any, other: Any) -> Any:
        """Figures of two parts of a video that do not touch."""

    @abstractmethod
    def score(self, videos: Sequence[Summary]) -> Dict[str, float]:
        """The metric over some videos, in %."""

    def describe(self) -> str:
        """How the metric was computed, for the printed line."""
        return ''

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count the frames of a batch in."""
        inputs = data_batch['inputs'] if self.needs_images else None
        for index, sample in enumerate(data_samples):
            if 'video_id' not in sample:
                raise KeyError(
                    f'{type(self).__name__} needs the video_id and the '
                    'frame_id that PackClipInputs packs')
            image = None if inputs is None else inputs[index]
            for frame in self._frames(sample, image):
                self._push(sample['video_id'], frame)

    def _frames(self, sample: dict,
                inputs: Optional[torch.Tensor]) -> Iterator[VideoFrame]:
        """The predicted frames of a data sample."""
        if 'clip_pred_sem_seg' in sample:
            preds = sample['clip_pred_sem_seg']['data']
            ids, paths = sample['frame_ids'], sample['img_paths']
        else:
            preds = sample['pred_sem_seg']['data']
            ids, paths = [sample['frame_id']], [sample['img_path']]
            if inputs is not None and inputs.dim() == 4:
                inputs = inputs[-1:]
        truths = [None] * len(ids)
        if len(ids) > 1 and 'clip_gt_sem_seg' in sample:
            truths = list(sample['clip_gt_sem_seg']['data'])
        if 'gt_sem_seg' in sample:
            truths[-1] = sample['gt_sem_seg']['data'][0]
        labelled = sample.get('labelled') or [True] * len(ids)
        labelled = labelled[-len(ids):]
        for index, (frame_id, path) in enumerate(zip(ids, paths)):
            truth = None
            if truths[index] is not None and labelled[index]:
                truth = _uint8(truths[index])
            image = None
            if inputs is not None:
                frame = inputs[index] if inputs.dim() == 4 else inputs
                # (3, h, w) -> (h, w, 3)
                image = np.ascontiguousarray(
                    _uint8(frame).transpose(1, 2, 0))
            yield VideoFrame(frame_id, path, _uint8(preds[index]), truth,
                             image)

    def _push(self, video_id: str, frame: VideoFrame) -> None:
        if video_id not in self._summaries:
            self._summaries[video_id] = Summary(self.num_classes, self.new())
        summary = self._summaries[video_id]
        if frame.frame_id in summary.frame_ids:
            return
        summary.frame_ids.add(frame.frame_id)
        if frame.truth is not None:
            summary.areas += areas(frame.pred, frame.truth,
                                   frame.truth != self.ignore_index,
                                   self.num_classes)
        last_id, state = self._open.pop(video_id, (None, None))
        if last_id is not None and frame.frame_id == last_id + 1:
            summary.joined += 1
        else:
            state = None
        self._open[video_id] = (frame.frame_id,
                                self.advance(summary.own, state, frame))
        if len(self._open) > self.max_open:
            self._open.popitem(last=False)

    def evaluate(self, size: int) -> dict:
        """Collect the figures of all ranks and compute the metric.

        Raises:
            RuntimeError: Frames that follow each other did not come in order
                and on one rank.
        """
        self.results = list(self._summaries.items())
        try:
            # one entry per video, not per item: none is to be dropped
            return super().evaluate(sys.maxsize)
        finally:
            self._summaries.clear()
            self._open.clear()

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """The metric over all videos; prints it beside the mIoU."""
        videos: Dict[str, Summary] = {}
        for video_id, summary in results:
            if video_id in videos:
                summary = self._join(video_id, videos[video_id], summary)
            videos[video_id] = summary
        for video_id, summary in videos.items():
            self._check(video_id, summary)
        metrics = self.score(list(videos.values()))
        self._report(videos, metrics)
        return metrics

    def _join(self, video_id: str, one: Summary, two: Summary) -> Summary:
        """Parts of a video from two ranks."""
        if two.frame_ids <= one.frame_ids:
            return one  # repeated by a sampler to fill the last batch
        if one.frame_ids & two.frame_ids:
            raise RuntimeError(self._out_of_order(video_id))
        one.frame_ids |= two.frame_ids
        one.joined += two.joined
        one.areas += two.areas
        one.own = self.merge(one.own, two.own)
        return one

    def _check(self, video_id: str, summary: Summary) -> None:
        expected = sum(
            frame_id - 1 in summary.frame_ids
            for frame_id in summary.frame_ids)
        if summary.joined != expected:
            raise RuntimeError(self._out_of_order(video_id))

    def _out_of_order(self, video_id: str) -> str:
        return (
            f'{type(self).__name__}: the frames of {video_id} did not arrive '
            'in order and on one rank, so that neighbours would be missed. '
            "Evaluate with sampler=dict(type='VideoSampler', num_workers=...)"
            f', or raise max_open ({self.max_open}) if more videos are '
            'interleaved')

    def _report(self, videos: Dict[str, Summary],
                metrics: Dict[str, float]) -> None:
        total = sum(
            (summary.areas for summary in videos.values()),
            np.zeros((2, self.num_classes), np.int64))
        figures = {**metrics, 'mIoU of the same frames': mean_iou(total)}
        frames = sum(len(summary.frame_ids) for summary in videos.values())
        print_log(
            f'{", ".join(f"{k}: {v:.2f}" for k, v in figures.items())} '
            f'({len(videos)} videos, {frames} frames{self.describe()})',
            logger='current')
        rows = []
        for video_id, summary in videos.items():
            rows.append(
                dict(
                    video=video_id,
                    frames=len(summary.frame_ids),
                    mIoU=mean_iou(summary.areas),
                    **self.score([summary])))
        key = next(iter(metrics))
        # videos without a value (nan) last
        rows.sort(key=lambda row: (np.isnan(row[key]), row[key]))
        if self.out_file is not None:
            mmengine.dump(
                dict(
                    metrics=figures,
                    computed=f'{type(self).__name__}{self.describe()}',
                    videos=rows),
                self.out_file,
                indent=1)
        if rows and self.num_listed:
            table = PrettyTable(list(rows[0]))
            for row in rows[:self.num_listed]:
                table.add_row([
                    f'{value:.2f}' if isinstance(value, float) else value
                    for value in row.values()
                ])
            print_log(
                f'lowest {key} of {len(rows)} videos:\n{table.get_string()}',
                logger='current')


def _uint8(tensor: torch.Tensor) -> np.ndarray:
    return tensor.to(torch.uint8).cpu().numpy()
