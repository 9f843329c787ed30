from typing import List, Optional

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS


def _files(data_batch: Optional[dict]) -> List[str]:
    """Paths of the images or clips of a batch, where it tells them."""
    samples = (data_batch or {}).get('data_samples', ())
    return [
        str(sample.metainfo.get('img_path', sample.metainfo))
        for sample in samples if hasattr(sample, 'metainfo')
    ]


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stops a training whose loss is infinite or NaN, and says where.

    mmengine's ``CheckInvalidLossHook`` looks every 50 iterations, in which
    checkpoints may have been written, and names nothing. This one looks at
    each iteration, before anything is saved. The training ends with an error:
    to skip such a batch would hide what is wrong with it or with the recipe.
    """

    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Look at the loss.

        Args:
            runner (Runner): The runner.
            batch_idx (int): The batch in its epoch.
            data_batch (dict, optional): What the loss is of.
            outputs (dict, optional): Losses by name.

        Raises:
            FloatingPointError: If one is not finite.
        """
        loss = (outputs or {}).get('loss')
        if loss is None or torch.isfinite(torch.as_tensor(loss)):
            return
        bad = {
            name: torch.as_tensor(value).item()
            for name, value in (outputs or {}).items()
            if 'loss' in name and not torch.isfinite(torch.as_tensor(value))
        }
        raise FloatingPointError(
            f'the loss of iteration {runner.iter + 1} is not finite: {bad}; '
            f'its batch was {_files(data_batch)}. Nothing was saved since')
