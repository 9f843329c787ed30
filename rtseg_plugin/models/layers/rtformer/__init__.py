from .cross_resolution_attention import CrossResolutionAttention
from .gpu_friendly_attention import GPUFriendlyAttention

__all__ = [
    'CrossResolutionAttention',
    'GPUFriendlyAttention',
]
