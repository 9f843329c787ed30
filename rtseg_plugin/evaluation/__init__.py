from .metrics import (
    ClipIoUMetric,
    StrictVideoConsistency,
    TemporalConsistency,
    VideoConsistency,
    WorkSizeIoUMetric,
)
from .optical_flow import DISFlow, FloFiles

__all__ = [
    'ClipIoUMetric', 'DISFlow', 'FloFiles', 'StrictVideoConsistency',
    'TemporalConsistency', 'VideoConsistency', 'WorkSizeIoUMetric'
]
