from .clip_iou_metric import ClipIoUMetric, WorkSizeIoUMetric
from .temporal_consistency import TemporalConsistency
from .video_consistency import StrictVideoConsistency, VideoConsistency
from .video_metric import VideoMetric

__all__ = [
    'ClipIoUMetric', 'StrictVideoConsistency', 'TemporalConsistency',
    'VideoConsistency', 'VideoMetric', 'WorkSizeIoUMetric'
]
