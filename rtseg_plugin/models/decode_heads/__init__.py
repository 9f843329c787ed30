from .erfnet_head import ERFNetHead
from .fanet_head import FANetAuxiliaryHead, FANetHead
from .gain_head import GAINAuxiliaryHead, GAINHead, GAINLightHead
from .sctnet_head import SCTHead

__all__ = [
    'ERFNetHead',
    'FANetAuxiliaryHead',
    'FANetHead',
    'GAINAuxiliaryHead',
    'GAINHead',
    'GAINLightHead',
    'SCTHead',
]
