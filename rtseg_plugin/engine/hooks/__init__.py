from .channels_last_hook import ChannelsLastHook
from .checkpoint_check_hook import CheckpointCheckHook
from .data_check_hook import DataCheckHook
from .finite_loss_hook import FiniteLossHook
from .flush_denormals_hook import FlushDenormalsHook
from .freeze_hook import FreezeHook
from .random_state_hook import RandomStateHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .teacher_score_hook import TeacherScoreHook

__all__ = [
    'ChannelsLastHook',
    'CheckpointCheckHook',
    'DataCheckHook',
    'FiniteLossHook',
    'FlushDenormalsHook',
    'FreezeHook',
    'RandomStateHook',
    'SafeCheckpointHook',
    'TeacherScoreHook',
]
