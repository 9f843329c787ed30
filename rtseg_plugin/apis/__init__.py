from .network import (
    LogitsNetwork,
    StreamNetwork,
    frame_network,
    load_segmentor,
)
from .video_inferencer import VideoInferencer, latency_summary
from .video_io import FrameSource, VideoWriter
from .video_session import (
    BadFrameError,
    FrameResult,
    VideoSession,
    feed_together,
)

__all__ = [
    'BadFrameError',
    'FrameResult',
    'FrameSource',
    'LogitsNetwork',
    'StreamNetwork',
    'VideoInferencer',
    'VideoSession',
    'VideoWriter',
    'feed_together',
    'frame_network',
    'latency_summary',
    'load_segmentor',
]
