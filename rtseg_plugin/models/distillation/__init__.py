from .alignments import FeatureAlignment, SharedDecoderAlignment
from .teacher import Teacher

__all__ = ['FeatureAlignment', 'SharedDecoderAlignment', 'Teacher']
