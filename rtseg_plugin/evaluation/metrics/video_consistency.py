"""Consistency of predictions where the truth stands still."""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
from mmseg.registry import METRICS

from .video_metric import Summary, VideoFrame, VideoMetric

_Windows = Dict[int, List[float]]


class _State(NamedTuple):
    """For how many frames each pixel has been what it is.

    ``count`` frames follow each other up to this one; ``pending`` are the
    values of the windows that end here and are not counted yet.
    """

    count: int
    frame: VideoFrame
    truth_run: np.ndarray
    pred_run: np.ndarray
    pending: Dict[int, float]


def _run(run: Optional[np.ndarray], labels: np.ndarray,
         before: Optional[np.ndarray]) -> np.ndarray:
    """For how many frames each pixel has had its label, this one counted."""
    if run is None:
        return np.ones(labels.shape, np.uint16)
    # far beyond any window, so that long videos do not wrap round
    run = np.minimum(run, 2**15)
    return np.where(labels == before, run, np.uint16(0)) + np.uint16(1)


@METRICS.register_module()
class VideoConsistency(VideoMetric):
    """mVC_n as VSPW's reference code computes it.

    `VSPW <https://openaccess.thecvf.com/content/CVPR2021/html/Miao_VSPW_A_Large-scale_Dataset_for_Video_Scene_Parsing_in_the_CVPR_2021_paper.html>`_.
    In each window of n frames that follow each other: of the pixels whose
    true label is constant, the share whose prediction is constant; mVC_n is
    the mean over all windows of all videos, in %, without those that have no
    constant pixel.

    As in the reference code, against what the text says, the constant
    prediction need not be the true label, void counts as a label, and the
    last window of a video is left out, hence videos of n frames or fewer.
    :class:`StrictVideoConsistency` is the other reading. Every frame needs a
    label.

    Args:
        lengths (Sequence[int]): The n. Defaults to (8, 16).
        min_frames (int): Videos of this many frames or fewer are left out
            for every n; VSS-CFFM's evaluation has 16, VSPW's none. Defaults
            to 0.
        **kwargs: Passed on to :class:`VideoMetric`.
    """

    suffix = ''

    def __init__(self,
                 lengths: Sequence[int] = (8, 16),
                 min_frames: int = 0,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if not lengths or min(lengths) < 2:
            raise ValueError(f'lengths must be 2 or more, not {lengths}')
        self.lengths = tuple(lengths)
        self.min_frames = min_frames

    def new(self) -> _Windows:
        """Values of all windows by length."""
        return {length: [] for length in self.lengths}

    def advance(self, own: _Windows, state: Optional[_State],
                frame: VideoFrame) -> _State:
        """Extend the runs by a frame and look at the windows that end."""
        if frame.truth is None:
            raise ValueError(
                f'{type(self).__name__} needs a label for every frame, and '
                f'{frame.path} has none; where a network predicts all frames '
                'of a clip, load them by LoadClipAnnotations(all_frames=True)')
        count = 1 if state is None else state.count + 1
        truth_run = _run(state and state.truth_run, frame.truth,
                         state and state.frame.truth)
        pred_run = self._pred_run(state, frame)
        values = {}
        for length in self.lengths:
            if count >= length:
                still = (truth_run >= length) & self._counted(frame)
                kept = still & (pred_run >= length)
                area = np.count_nonzero(still)
                values[length] = (
                    np.count_nonzero(kept) / area if area else float('nan'))
        self._count_windows(own, state, values)
        return _State(count, frame, truth_run, pred_run, values)

    def _pred_run(self, state: Optional[_State],
                  frame: VideoFrame) -> np.ndarray:
        """For how many frames the prediction has been as it should."""
        return _run(state and state.pred_run, frame.pred,
                    state and state.frame.pred)

    def _counted(self, frame: VideoFrame) -> np.ndarray:
        """Pixels that may count."""
        return np.ones(frame.truth.shape, bool)

    def _count_windows(self, own: _Windows, state: Optional[_State],
                values: Dict[int, float]) -> None:
        """Count the windows before these: the last ones never are."""
        if state is not None:
            for length, value in state.pending.items():
                own[length].append(value)

    def merge(self, own: _Windows, other: _Windows) -> _Windows:
        """Concatenate."""
        return {length: own[length] + other[length] for length in own}

    def score(self, videos: Sequence[Summary]) -> Dict[str, float]:
        """mVC of each length."""
        result: Dict[str, Any] = {}
        for length in self.lengths:
            values = [
                value for video in videos
                if len(video.frame_ids) > self.min_frames
                for value in video.own[length] if not np.isnan(value)
            ]
            result[f'mVC{length}{self.suffix}'] = (
                100 * float(np.mean(values)) if values else float('nan'))
        return result


@METRICS.register_module()
class StrictVideoConsistency(VideoConsistency):
    """mVC_n as its text reads: constant, and right.

    Of the pixels whose true label is constant over a window and not void, the
    share that is predicted right in all its frames, over all windows. Named
    ``mVC8_strict`` and so on. Arguments as :class:`VideoConsistency`.
    """

    suffix = '_strict'

    def _pred_run(self, state: Optional[_State],
                  frame: VideoFrame) -> np.ndarray:
        right = frame.pred == frame.truth
        if state is None:
            return right.astype(np.uint16)
        run = np.minimum(state.pred_run, 2**15) + np.uint16(1)
        return np.where(right, run, np.uint16(0))

    def _counted(self, frame: VideoFrame) -> np.ndarray:
        return frame.truth != self.ignore_index

    def _count_windows(self, own: _Windows, state: Optional[_State],
                values: Dict[int, float]) -> None:
        for length, value in values.items():
            own[length].append(value)
