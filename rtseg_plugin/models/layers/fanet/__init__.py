from .fast_attention import FastAttention

__all__ = [
    'FastAttention',
]
