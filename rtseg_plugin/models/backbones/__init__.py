from .dfnet import DFNet
from .erfnet_encoder import ERFNetEncoder
from .fanet_resnet import FANetResNet
from .gain_resnet import GAINResNet
from .rtformer import RTFormer
from .sctnet import SCTNet

__all__ = [
    'DFNet',
    'ERFNetEncoder',
    'FANetResNet',
    'GAINResNet',
    'RTFormer',
    'SCTNet',
]
