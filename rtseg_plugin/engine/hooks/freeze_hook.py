from typing import Optional, Sequence, Union

from mmengine.hooks import Hook
from mmengine.optim import BaseOptimWrapper
from mmseg.registry import HOOKS

from .unwrapped import unwrapped


@HOOKS.register_module()
class FreezeHook(Hook):
    """Train only a part of a network: the others take no gradient.

    LMANet's two stages are ``prefixes=['backbone', 'decode_head']`` and
    ``prefixes=['backbone']``. The optimiser may hold the frozen parameters:
    without gradient it leaves them alone, weight decay included.

    Args:
        prefixes (str | Sequence[str]): Names of submodules or parameters,
            such as 'backbone' or 'decode_head.stages'.
        eval_mode (bool): Whether the frozen modules are also in eval mode:
            running statistics stand still and dropout is off. Defaults to
            False, as in LMANet's official code, where they drift.

    Raises:
        ValueError: When training starts, if a prefix names nothing or
            everything would be frozen.
    """

    def __init__(self,
                 prefixes: Union[str, Sequence[str]],
                 eval_mode: bool = False):
        self.prefixes = [prefixes] if isinstance(prefixes,
                                                 str) else list(prefixes)
        self.eval_mode = eval_mode
        self._modules = []

    def before_run(self, runner) -> None:
        """Freeze, and let a distributed wrapper forget what is frozen.

        The runner wraps the model before there are hooks, and compiles its
        training step after this one.
        """
        if not isinstance(runner.optim_wrapper, BaseOptimWrapper):
            return  # a test
        model = unwrapped(runner.model)
        parameters = dict(model.named_parameters())
        frozen = {}
        for prefix in self.prefixes:
            below = {
                name: parameter
                for name, parameter in parameters.items()
                if name == prefix or name.startswith(f'{prefix}.')
            }
            if not below:
                raise ValueError(
                    f'FreezeHook: nothing is named {prefix!r}; the parts are '
                    f'{[name for name, _ in model.named_children()]}')
            frozen.update(below)
        if len(frozen) == len(parameters):
            raise ValueError(f'FreezeHook: {self.prefixes} is the whole model')
        for parameter in frozen.values():
            parameter.requires_grad_(False)
        modules = dict(model.named_modules())
        self._modules = [
            modules[prefix] for prefix in self.prefixes if prefix in modules
        ]
        if model is not runner.model:
            # DDP has counted on a gradient of each parameter since before
            # there were hooks
            runner.model = None
            runner.model = runner.wrap_model(
                runner.cfg.get('model_wrapper_cfg'), model)
        runner.logger.info(f'frozen: {len(frozen)} of {len(parameters)} '
                           f'parameters, below {self.prefixes}')

    def before_train_iter(self,
                          runner,
                          batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Put frozen modules back into eval mode: loops call ``train()``."""
        if self.eval_mode:
            for module in self._modules:
                if module.training:
                    module.eval()
