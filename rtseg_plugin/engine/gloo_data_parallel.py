from typing import List, Optional

import torch
from mmengine.model import MMDistributedDataParallel, revert_sync_batchnorm
from mmengine.registry import MODEL_WRAPPERS


# the runner looks into the root registry only
@MODEL_WRAPPERS.register_module()
class GlooDataParallel(MMDistributedDataParallel):
    """Data parallel training on CPUs, where mmengine names a GPU.

    ``--launcher pytorch`` of ``tools/train.py`` and ``tools/test.py`` uses it
    where torch has no GPU. SyncBN, which exists on GPUs only, becomes BN:
    each process has its own statistics.

    Args:
        module (nn.Module): The model.
        device_ids (list[int], optional): The runner gives the number of a
            GPU; not used. Defaults to None.
        find_unused_parameters (bool): Of ``DistributedDataParallel``.
            Defaults to False.
    """

    def __init__(self,
                 module: torch.nn.Module,
                 device_ids: Optional[List[int]] = None,
                 find_unused_parameters: bool = False) -> None:
        super().__init__(
            revert_sync_batchnorm(module),
            broadcast_buffers=False,
            find_unused_parameters=find_unused_parameters)
