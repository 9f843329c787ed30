from .distilled_encoder_decoder import DistilledEncoderDecoder
from .video_encoder_decoder import VideoEncoderDecoder

__all__ = [
    'DistilledEncoderDecoder',
    'VideoEncoderDecoder',
]
