from .context import GlobalAverageContext, PyramidPoolingContext
from .guided_attentive_interpolation import (
    GuidedAttentiveInterpolation,
    GuidedCrissCrossAttention,
)

__all__ = [
    'GlobalAverageContext',
    'GuidedAttentiveInterpolation',
    'GuidedCrissCrossAttention',
    'PyramidPoolingContext',
]
