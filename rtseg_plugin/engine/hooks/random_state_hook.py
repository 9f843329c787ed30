import random
from typing import List, Optional

import numpy as np
import torch
from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmseg.registry import HOOKS


def _generators() -> dict:
    """State of every generator that a training draws from."""
    state = dict(
        cpu=torch.get_rng_state(),
        numpy=np.random.get_state(),
        python=random.getstate())
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def _set_generators(state: dict, names: tuple) -> None:
    if 'cpu' in names:
        torch.set_rng_state(state['cpu'].cpu())
    if 'cuda' in names and 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
    if 'numpy' in names and 'numpy' in state:
        np.random.set_state(state['numpy'])
    if 'python' in names and 'python' in state:
        random.setstate(state['python'])


_TORCH, _ALL = ('cpu', 'cuda'), ('cpu', 'cuda', 'numpy', 'python')


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Makes a resumed training draw the numbers that it would have drawn.

    mmengine restores weights, optimiser and schedule, but not the generators,
    which drop path and dropout use. This hook keeps their state in the
    checkpoint, so that N iterations, a resume and N more give the same bits as
    2N, in iteration and in epoch loops. A validation does not advance the
    generators of the training: its iterator draws a seed from them, which a
    training that resumes from just before it would miss.

    With several processes each gets its own state back (they differ where
    ``diff_rank_seed`` is set), if the checkpoint was written by
    :class:`SafeCheckpointHook` and for as many processes; else all get that
    of the first. Files without the entry resume as before.

    One thing stays out of reach: a transform that draws from torch's generator
    in the process of the network (``num_workers=0``), in an iteration loop.

    Resuming an epoch loop whose loader keeps its workers
    (``persistent_workers``) reads the data of the finished epochs again, as
    mmengine does for iteration loops: that is how far the workers' own
    generators are.
    """

    def __init__(self):
        self._state: Optional[dict] = None
        self._before_val: Optional[dict] = None
        self._all_ranks: Optional[List[dict]] = None

    def gather_random_state(self, runner: Runner) -> None:
        """Collect the states of all processes; called in each of them."""
        self._all_ranks = all_gather_object(self._before_val or _generators())

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the state of the generators; of the first process only."""
        checkpoint['random_state'] = self._before_val or _generators()
        if self._all_ranks is not None and len(self._all_ranks) > 1:
            checkpoint['random_state_of_ranks'] = self._all_ranks
        self._all_ranks = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the state; it counts if the run resumes."""
        ranks = checkpoint.get('random_state_of_ranks', ())
        if len(ranks) == get_world_size() > 1:
            self._state = ranks[get_rank()]
        else:
            self._state = checkpoint.get('random_state')

    def before_val(self, runner: Runner) -> None:
        """Keep the state, which a validation changes."""
        self._before_val = _generators()

    def after_val(self, runner: Runner) -> None:
        """Go on as if there had been no validation."""
        if self._before_val is not None:
            _set_generators(self._before_val, _ALL)
        self._before_val = None

    def before_train_epoch(self, runner: Runner) -> None:
        """Restore the state once, before an epoch loop starts to read."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        if self._state is not None and runner.epoch > 0:
            loader = runner.train_dataloader
            if getattr(loader, 'persistent_workers', False):
                self._replay(runner, loader)
            _set_generators(self._state, _ALL)
        self._state = None

    @staticmethod
    def _replay(runner: Runner, loader) -> None:
        runner.logger.info(f'Reading the data of {runner.epoch} finished '
                           'epochs again, for the generators of the workers')
        for epoch in range(runner.epoch + 1):
            for sampler in (loader.sampler,
                            getattr(loader.batch_sampler, 'sampler', None)):
                if hasattr(sampler, 'set_epoch'):
                    sampler.set_epoch(epoch)
            if epoch < runner.epoch:
                for _ in loader:
                    pass

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Restore the state once, after the data order was replayed.

        The replay has advanced numpy's and Python's generators by itself, and
        by this batch more.
        """
        if self._state is not None and runner.iter > 0:
            _set_generators(self._state, _TORCH)
        self._state = None
