from .erf_block import ERFBlock
from .memory_fusion import (
    BlendFusion,
    ConcatFusion,
    GatedFusion,
    ReducedGatedFusion,
)

__all__ = [
    'BlendFusion',
    'ConcatFusion',
    'ERFBlock',
    'GatedFusion',
    'ReducedGatedFusion',
]
