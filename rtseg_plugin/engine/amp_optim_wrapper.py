import logging
from typing import Optional, Union

import torch
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper as HostAmpOptimWrapper
from mmengine.optim import OptimWrapper
from mmseg.registry import OPTIM_WRAPPERS

from ..utils.bfloat16 import computes_in_bfloat16


@OPTIM_WRAPPERS.register_module()
class AmpOptimWrapper(HostAmpOptimWrapper):
    """The host's mixed precision, on CPUs too: there in bfloat16, unscaled.

    mmengine refuses CPUs. Registered in MMSegmentation's registry under the
    host's name, so that ``--amp`` and configs find it; elsewhere than on a
    CPU it is the host's class. bfloat16 has the range of float32, so that no
    loss needs scaling. A processor without bfloat16 instructions (AMX,
    AVX-512 BF16, Arm's) would only emulate them: there it trains in float32,
    with a warning.

    Args:
        loss_scale (str | float | dict): See the host's; of no effect on CPUs.
            Defaults to 'dynamic'.
        dtype (str | torch.dtype, optional): See the host's. On CPUs None or
            bfloat16. Defaults to None.
        use_fsdp (bool): See the host's. Defaults to False.
        **kwargs: Of :class:`mmengine.optim.OptimWrapper`.

    Raises:
        ValueError: On a CPU, for another ``dtype``.
    """

    def __init__(self,
                 loss_scale: Union[str, float, dict] = 'dynamic',
                 dtype: Optional[Union[str, torch.dtype]] = None,
                 use_fsdp: bool = False,
                 **kwargs):
        self.enabled = True
        if get_device() != 'cpu':
            super().__init__(loss_scale, dtype, use_fsdp, **kwargs)
            return
        if dtype not in (None, 'bfloat16', torch.bfloat16):
            raise ValueError('mixed precision on a CPU is bfloat16; got '
                             f'optim_wrapper.dtype={dtype!r}')
        self.enabled = computes_in_bfloat16()
        if not self.enabled:
            print_log(
                'This processor has no bfloat16 instructions: training in '
                'float32.',
                logger='current',
                level=logging.WARNING)
        OptimWrapper.__init__(self, **kwargs)
        self._scale_update_param = None
        self.loss_scaler = torch.amp.GradScaler('cpu', enabled=False)
        self.cast_dtype = torch.bfloat16

    def load_state_dict(self, state_dict: dict) -> None:
        """The host's; also of a training on a CPU, which scaled nothing.

        Args:
            state_dict (dict): Of :meth:`state_dict`.
        """
        if not state_dict.get('loss_scaler'):
            state_dict = {key: value for key, value in state_dict.items()
                          if key != 'loss_scaler'}
        super().load_state_dict(state_dict)

    def optim_context(self, model: torch.nn.Module):
        """The host's context; without casts where they would only cost."""
        if self.enabled:
            return super().optim_context(model)
        return OptimWrapper.optim_context(self, model)
