from . import (
    backbones,
    decode_heads,
    distillation,
    layers,
    losses,
    necks,
    segmentors,
)
from .video_data_preprocessor import VideoSegDataPreProcessor

__all__ = [
    'VideoSegDataPreProcessor', 'backbones', 'decode_heads', 'distillation',
    'layers', 'losses', 'necks', 'segmentors'
]
