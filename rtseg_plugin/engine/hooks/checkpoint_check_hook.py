import os.path as osp

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import BaseOptimWrapper
from mmengine.runner import CheckpointLoader, Runner
from mmseg.registry import HOOKS
from torch import Tensor, nn

from ...utils.checkpoint_check import (
    check_any_fits,
    check_state_dict,
    what_starts_at_random,
)
from ...utils.newest_checkpoint import newest_checkpoint
from .unwrapped import unwrapped


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Stops a run whose checkpoint does not belong to the model.

    Without it mmengine warns and goes on with a network that is partly
    random. A test needs all of the inference network, a resumed training all
    of the model. A training that only starts from a checkpoint
    (``load_from``, ``init_cfg``) may fill a part, but not nothing; what is
    left at random besides heads is a warning, with the counts.

    Chooses what ``--resume`` resumes: the newest checkpoint that can be read,
    see :func:`.newest_checkpoint`.

    Also keeps ``--resume`` from resuming the checkpoint that a recipe starts
    from, which mmengine would do: a stage that was interrupted would end at
    once, in the finished stage before it. What the work dir holds comes first;
    if it holds nothing, the recipe starts. A ``load_from`` that is not the
    config file's own, as of ``--cfg-options``, is resumed if the work dir
    holds nothing or if it lies there.
    """

    def before_run(self, runner: Runner) -> None:
        """Choose what a training resumes; say what start weights leave open.

        Args:
            runner (Runner): The runner.
        """
        if not isinstance(runner.optim_wrapper, BaseOptimWrapper):
            return
        if runner._resume:
            self._choose(runner)
        if not runner._resume:
            # in all processes: they wait for each other where one downloads
            self._look_at_start_weights(runner)

    @staticmethod
    def _choose(runner: Runner) -> None:
        start = runner._load_from
        if start is None:
            # mmengine would trust the pointer; None starts from nothing
            runner._load_from = newest_checkpoint(runner.work_dir)
            runner._resume = runner._load_from is not None
            return
        file = runner.cfg.filename
        is_own = (file is not None
                  and Config.fromfile(file).get('load_from') == start)
        is_inside = osp.dirname(osp.abspath(start)) == osp.abspath(
            runner.work_dir)
        if is_inside and not is_own:  # it was asked for
            return
        latest = newest_checkpoint(runner.work_dir)
        if latest is not None:
            runner.logger.info(
                f'Resuming {latest}; load_from={start} is only a start')
            runner._load_from = latest
        elif is_own:
            runner.logger.info(
                f'Nothing to resume in {runner.work_dir}; starting from '
                f'load_from={start}')
            runner._resume = False

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Give the file plain tensors.

        FSDP leaves a mark on its copies, and tensors with attributes are
        pickled in a way that no safe loader takes.
        """
        state = checkpoint['state_dict']
        for name, value in state.items():
            if isinstance(value, Tensor) and vars(value):
                state[name] = value.detach()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare keys and shapes before anything is loaded.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What the file held.

        Raises:
            RuntimeError: See :func:`.check_state_dict`.
        """
        model = unwrapped(runner.model)
        state_dict = checkpoint.get('state_dict', checkpoint)
        source = str(runner._load_from or f'in {runner.work_dir}')
        if not isinstance(runner.optim_wrapper, BaseOptimWrapper):
            check_state_dict(model, state_dict, source)
        elif runner._resume:
            check_state_dict(model, state_dict, source, parts=None)
        else:
            check_any_fits(model, state_dict, source)
            self._warn(runner, source, 'the model', model, state_dict)

    def _look_at_start_weights(self, runner: Runner) -> None:
        """Compare what an ``init_cfg`` is going to load."""
        for name, module in unwrapped(runner.model).named_modules():
            init_cfgs = getattr(module, 'init_cfg', None) or []
            if isinstance(init_cfgs, dict):
                init_cfgs = [init_cfgs]
            for init_cfg in init_cfgs:
                if init_cfg['type'] != 'Pretrained':
                    continue
                source, prefix = init_cfg['checkpoint'], init_cfg.get('prefix')
                checkpoint = CheckpointLoader.load_checkpoint(source, 'cpu')
                state_dict = checkpoint.get('state_dict', checkpoint)
                if prefix:
                    prefix = prefix.rstrip('.') + '.'
                    state_dict = {
                        key[len(prefix):]: value
                        for key, value in state_dict.items()
                        if key.startswith(prefix)
                    }
                self._warn(runner, source, name or 'the model', module,
                           state_dict)

    @staticmethod
    def _warn(runner: Runner, source: str, name: str, module: nn.Module,
              state_dict: dict) -> None:
        random = what_starts_at_random(module, state_dict)
        if random:
            runner.logger.warning(
                f'start weights {source} do not fill {name}: {random}')
