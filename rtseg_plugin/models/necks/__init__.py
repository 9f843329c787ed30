from .fast_attention import FastAttentionNeck, TemporalFastAttentionNeck
from .gai import GAINeck
from .local_memory import LocalMemoryAttention

__all__ = [
    'FastAttentionNeck',
    'GAINeck',
    'LocalMemoryAttention',
    'TemporalFastAttentionNeck',
]
