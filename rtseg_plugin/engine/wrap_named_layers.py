from typing import Sequence

from mmengine.registry import FUNCTIONS
from torch import nn


@FUNCTIONS.register_module()
def wrap_named_layers(module: nn.Module, recurse: bool,
                      nonwrapped_numel: int, names: Sequence[str]) -> bool:
    """Which modules FSDP shards by themselves: those of some classes.

    An ``auto_wrap_policy`` for ``MMFullyShardedDataParallel``. PyTorch's own
    take classes, which a config cannot name, or anything that is large: among
    it heads, whose weights would stay shards, since a segmentor calls their
    ``loss`` and not their ``forward``.

    Args:
        module (nn.Module): In question.
        recurse (bool): Whether its children are to be looked at.
        nonwrapped_numel (int): Not used.
        names (Sequence[str]): Of the classes.

    Returns:
        bool: The answer.
    """
    return recurse or type(module).__name__ in names
