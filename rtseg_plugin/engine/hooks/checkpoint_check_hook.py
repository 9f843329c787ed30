from mmengine.hooks import Hook
from mmengine.optim import BaseOptimWrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...utils.checkpoint_check import check_state_dict


@HOOKS.register_module()
class CheckpointCheckHook(Hook):
    """Stops a test whose checkpoint does not belong to the model.

    Without it mmengine warns and tests a network that is partly random. A
    training that starts from a checkpoint (``load_from``) may fill a part
    only, so it is left alone.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare keys and shapes before anything is loaded.

        Args:
            runner (Runner): The runner.
            checkpoint (dict): What the file held.

        Raises:
            RuntimeError: See :func:`.check_state_dict`.
        """
        if isinstance(runner.optim_wrapper, BaseOptimWrapper):
            return
        model = runner.model
        while hasattr(model, 'module'):  # DDP, test-time augmentation
            model = model.module
        check_state_dict(model, checkpoint.get('state_dict', checkpoint),
                         str(runner._load_from))
