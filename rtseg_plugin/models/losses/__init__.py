from .channel_wise_distillation import ChannelWiseDistillationLoss
from .feature_distillation import KLDistillationLoss, L2DistillationLoss
from .hard_example_cross_entropy import HardExampleCrossEntropyLoss
from .variational_information_distillation import VariationalInformationLoss

__all__ = [
    'ChannelWiseDistillationLoss',
    'HardExampleCrossEntropyLoss',
    'KLDistillationLoss',
    'L2DistillationLoss',
    'VariationalInformationLoss',
]
