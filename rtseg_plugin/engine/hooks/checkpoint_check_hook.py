from mmengine.hooks import Hook
from mmengine.optim import BaseOptimWrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...utils.checkpoint_check import check_any_fits, check_state_dict


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Stops a run whose checkpoint does not belong to the model.

    Without it mmengine warns and goes on with a network that is partly
    random. A test needs all of the inference network, a resumed training all
    of the model. A training that only starts from a checkpoint
    (``load_from``) may fill a part, but not nothing.
    """

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
