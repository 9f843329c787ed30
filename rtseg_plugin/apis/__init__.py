from .network import LogitsNetwork, load_segmentor
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
    'VideoInferencer',
    'VideoSession',
    'VideoWriter',
    'feed_together',
    'latency_summary',
    'load_segmentor',
]
