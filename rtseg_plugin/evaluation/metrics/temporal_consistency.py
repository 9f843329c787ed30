"""Consistency of predictions along the motion."""
from typing import Any, Callable, Dict, Sequence, Union

import numpy as np
from mmseg.registry import METRICS, TASK_UTILS

from ..optical_flow import Frame, occluded, resize_flow, warp_labels
from .video_metric import Summary, VideoFrame, VideoMetric, areas, mean_iou


@METRICS.register_module()
class TemporalConsistency(VideoMetric):
    """mTC: do frames that follow each other agree along the optical flow?

    `Efficient Semantic Video Segmentation with Per-frame Inference
    <https://arxiv.org/abs/2002.11433>`_. For each pair (t, t+1) the labels
    predicted for t+1 are brought back to t along the flow from t to t+1;
    intersections and unions with the prediction for t are summed over all
    pairs of all videos, and mTC is the mean IoU, in %. No truth is needed.

    Where this differs from the official evaluation (irfanICMLL/ETC-...,
    which takes its flow from FlowNet2): that moves label ids bilinearly and
    cuts the result to an integer, here the nearest is taken; what comes from
    outside of the frame is left out here (there it counts as class 0); a
    class that never occurs is left out of the mean, and counts as 0 there
    (``unseen_as_zero``). The TC of VSPW is the same with RAFT, over the first
    100 videos and with class 0 from outside (``outside=0``). Figures from
    different flows must not be compared, so the flow is printed with them.

    Args:
        flow (dict | Callable): :class:`DISFlow`, :class:`FloFiles` or
            anything of their kind: called with two :class:`Frame` it gives
            the flow (H, W, 2) from the first to the second, in pixels, and
            has the attributes ``name`` and ``needs_images``. Defaults to DIS,
            preset medium.
        outside (int): Label that comes from outside of the frame, and where
            the flow is unknown. Defaults to 255, which leaves it out.
        unseen_as_zero (bool): Whether a class that never occurs has IoU 0.
            Defaults to False.
        mask_occluded (bool): Whether to leave out pixels from which the flow
            forth and back does not lead home; needs a flow for both
            directions, that is, not from files. Defaults to False, as the
            official code, where it is commented out.
        ignore_index (int): Label that is not counted. Defaults to 255.
        **kwargs: Passed on to :class:`VideoMetric`.
    """

    def __init__(self,
                 flow: Union[dict, Callable] = dict(type='DISFlow'),
                 outside: int = 255,
                 unseen_as_zero: bool = False,
                 mask_occluded: bool = False,
                 ignore_index: int = 255,
                 **kwargs) -> None:
        super().__init__(ignore_index=ignore_index, **kwargs)
        self.flow = TASK_UTILS.build(flow) if isinstance(flow, dict) else flow
        self.outside = outside
        self.unseen_as_zero = unseen_as_zero
        self.mask_occluded = mask_occluded
        if mask_occluded and not self.flow.needs_images:
            raise ValueError(
                f'mask_occluded needs the flow backwards, which '
                f'{type(self.flow).__name__} does not give')

    @property
    def needs_images(self) -> bool:
        """Whether frames must come with their picture."""
        return self.flow.needs_images

    def describe(self) -> str:
        """The flow and what was left out."""
        masked = ', occluded pixels left out' if self.mask_occluded else ''
        return f', flow: {self.flow.name}{masked}'

    def new(self) -> np.ndarray:
        """Intersections and unions."""
        return np.zeros((2, self.num_classes), np.int64)

    def advance(self, own: np.ndarray, state: Any,
                frame: VideoFrame) -> VideoFrame:
        """Compare a frame with the one before."""
        if state is not None:
            own += self._pair(state, frame)
        return frame

    def _pair(self, this: VideoFrame, other: VideoFrame) -> np.ndarray:
        flow = self._flow(this, other)
        warped = warp_labels(other.pred, flow, self.outside)
        valid = ((warped != self.ignore_index) &
                 (this.pred != self.ignore_index))
        if self.mask_occluded:
            valid &= ~occluded(flow, self._flow(other, this))
        return areas(this.pred, warped, valid, self.num_classes)

    def _flow(self, this: VideoFrame, other: VideoFrame) -> np.ndarray:
        flow = self.flow(
            Frame(this.path, this.image), Frame(other.path, other.image))
        return resize_flow(flow, *this.pred.shape)

    def merge(self, own: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Sum."""
        return own + other

    def score(self, videos: Sequence[Summary]) -> Dict[str, float]:
        """mTC."""
        both, union = sum((video.own for video in videos), self.new())
        if self.unseen_as_zero and union.any():
            union = np.maximum(union, 1)
        return dict(mTC=mean_iou(np.stack([both, union])))
