from .hooks import CheckpointCheckHook, FreezeHook, RandomStateHook
from .poly_ratio_lr import PolyRatioLR
from .reduce_on_train_loss_plateau_lr import ReduceOnTrainLossPlateauLR

__all__ = [
    'CheckpointCheckHook',
    'FreezeHook',
    'PolyRatioLR',
    'RandomStateHook',
    'ReduceOnTrainLossPlateauLR',
]
