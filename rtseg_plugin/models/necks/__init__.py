from .fanet_neck import FastAttentionNeck, TemporalFastAttentionNeck
from .gain_neck import GAINeck
from .lmanet_neck import LocalMemoryAttention

__all__ = [
    'FastAttentionNeck',
    'GAINeck',
    'LocalMemoryAttention',
    'TemporalFastAttentionNeck',
]
