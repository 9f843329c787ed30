from .channel_wise_distillation import ChannelWiseDistillationLoss
from .class_weighted_cross_entropy import ClassWeightedCrossEntropyLoss
from .feature_distillation import KLDistillationLoss, L2DistillationLoss
from .hard_example_cross_entropy import HardExampleCrossEntropyLoss
from .variational_information_distillation import VariationalInformationLoss

__all__ = [
    'ChannelWiseDistillationLoss',
    'ClassWeightedCrossEntropyLoss',
    'HardExampleCrossEntropyLoss',
    'KLDistillationLoss',
    'L2DistillationLoss',
    'VariationalInformationLoss',
]
