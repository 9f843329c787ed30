from typing import Optional

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Makes a resumed training draw the numbers that it would have drawn.

    mmengine restores weights, optimiser and schedule and replays the order of
    the data, but not torch's generators, which drop path and dropout use.
    This hook keeps their state in the checkpoint, so that N iterations,
    a resume and N more give the same bits as 2N. Files without the entry
    resume as before. With several processes all resume from the state of the
    first, which mmengine seeds alike.
    """

    def __init__(self):
        self._state: Optional[dict] = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the state of the generators."""
        state = dict(cpu=torch.get_rng_state())
        if torch.cuda.is_available():
            state['cuda'] = torch.cuda.get_rng_state()
        checkpoint['random_state'] = state

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the state; it counts if the run resumes."""
        self._state = checkpoint.get('random_state')

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Restore the state once, after the data order was replayed."""
        if self._state is not None and runner.iter > 0:
            torch.set_rng_state(self._state['cpu'].cpu())
            if 'cuda' in self._state and torch.cuda.is_available():
                torch.cuda.set_rng_state(self._state['cuda'].cpu())
        self._state = None
