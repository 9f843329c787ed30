from .amp_optim_wrapper import AmpOptimWrapper
from .gloo_data_parallel import GlooDataParallel
from .hooks import (
    ChannelsLastHook,
    CheckpointCheckHook,
    DataCheckHook,
    FiniteLossHook,
    FlushDenormalsHook,
    FreezeHook,
    RandomStateHook,
    SafeCheckpointHook,
    TeacherScoreHook,
)
from .poly_ratio_lr import PolyRatioLR
from .reduce_on_train_loss_plateau_lr import ReduceOnTrainLossPlateauLR
from .wrap_named_layers import wrap_named_layers

__all__ = [
    'AmpOptimWrapper',
    'ChannelsLastHook',
    'CheckpointCheckHook',
    'DataCheckHook',
    'FiniteLossHook',
    'FlushDenormalsHook',
    'FreezeHook',
    'GlooDataParallel',
    'PolyRatioLR',
    'RandomStateHook',
    'ReduceOnTrainLossPlateauLR',
    'SafeCheckpointHook',
    'TeacherScoreHook',
    'wrap_named_layers',
]
