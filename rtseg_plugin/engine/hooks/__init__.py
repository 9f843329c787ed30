from .checkpoint_check_hook import CheckpointCheckHook
from .freeze_hook import FreezeHook
from .random_state_hook import RandomStateHook

__all__ = [
    'CheckpointCheckHook',
    'FreezeHook',
    'RandomStateHook',
]
