import os.path as osp

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import BaseOptimWrapper
from mmengine.runner import Runner, find_latest_checkpoint
from mmseg.registry import HOOKS

from ...utils.checkpoint_check import check_any_fits, check_state_dict


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Stops a run whose checkpoint does not belong to the model.

    Without it mmengine warns and goes on with a network that is partly
    random. A test needs all of the inference network, a resumed training all
    of the model. A training that only starts from a checkpoint
    (``load_from``) may fill a part, but not nothing.

    Also keeps ``--resume`` from resuming the checkpoint that a recipe starts
    from, which mmengine would do: a stage that was interrupted would end at
    once, in the finished stage before it. What the work dir holds comes first;
    if it holds nothing, the recipe starts. A ``load_from`` that is not the
    config file's own, as of ``--cfg-options``, is resumed if the work dir
    holds nothing or if it lies there.
    """

    def before_run(self, runner: Runner) -> None:
        """Choose what a training resumes, before it is loaded.

        Args:
            runner (Runner): The runner.
        """
        start = runner._load_from
        training = isinstance(runner.optim_wrapper, BaseOptimWrapper)
        if not training or not runner._resume or start is None:
            return
        file = runner.cfg.filename
        is_own = (file is not None
                  and Config.fromfile(file).get('load_from') == start)
        is_inside = osp.dirname(osp.abspath(start)) == osp.abspath(
            runner.work_dir)
        latest = find_latest_checkpoint(runner.work_dir)
        if latest is not None and (is_own or not is_inside):
            runner.logger.info(
                f'Resuming {latest}; load_from={start} is only a start')
            runner._load_from = None
        elif latest is None and is_own:
            runner.logger.info(
                f'Nothing to resume in {runner.work_dir}; starting from '
                f'load_from={start}')
            runner._resume = False

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare keys and shapes before anything is loaded.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What the file held.

        Raises:
            RuntimeError: See :func:`.check_state_dict`.
        """
        model = runner.model
        while hasattr(model, 'module'):  # DDP, test-time augmentation
            model = model.module
        state_dict = checkpoint.get('state_dict', checkpoint)
        source = str(runner._load_from or f'in {runner.work_dir}')
        if not isinstance(runner.optim_wrapper, BaseOptimWrapper):
            check_state_dict(model, state_dict, source)
        elif runner._resume:
            check_state_dict(model, state_dict, source, parts=None)
        else:
            check_any_fits(model, state_dict, source)
