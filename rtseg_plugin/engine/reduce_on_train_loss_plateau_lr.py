from typing import Optional, Sequence, Union

import torch
from mmengine.dist import all_reduce
from mmengine.logging import MessageHub
from mmengine.optim import BaseOptimWrapper, ReduceOnPlateauLR
from mmseg.registry import PARAM_SCHEDULERS
from torch.optim import Optimizer

_INF = int(1e9)


@PARAM_SCHEDULERS.register_module()
class ReduceOnTrainLossPlateauLR(ReduceOnPlateauLR):
    """The host's ``ReduceOnPlateauLR`` on the training loss.

    The host's class looks at what validation measures. This one takes the
    mean of ``train/loss`` over the epoch and over all processes, so the rates
    stay equal everywhere (in LMANet's official code each process follows its
    own loss). It goes on where it was after ``--resume``. The defaults are
    LMANet's.

    Args:
        optimizer (Optimizer | BaseOptimWrapper): What is scheduled.
        monitor (str): Which scalar of training. Defaults to 'loss'.
        factor (float): What the rate is multiplied by. Defaults to 0.8.
        patience (int): Epochs without improvement before that. Defaults to
            10.
        threshold (float): Relative improvement that counts. Defaults to 1e-4.
        min_value (float | Sequence[float]): Lower bound of the rate. Defaults
            to 1e-8.
        eps (float): Smallest cut that is made. Defaults to 1e-8.
        begin (int): First epoch. Defaults to 0.
        end (int): Epoch to stop at. Defaults to 1e9.
        last_step (int): See the host's class. Defaults to -1.
        by_epoch (bool): True; iterations are too noisy. Defaults to True.
        verbose (bool): Whether every cut is logged. Defaults to False.
    """
    need_val_args = False

    def __init__(self,
                 optimizer: Union[Optimizer, BaseOptimWrapper],
                 monitor: str = 'loss',
                 factor: float = 0.8,
                 patience: int = 10,
                 threshold: float = 1e-4,
                 min_value: Union[float, Sequence[float]] = 1e-8,
                 eps: float = 1e-8,
                 begin: int = 0,
                 end: int = _INF,
                 last_step: int = -1,
                 by_epoch: bool = True,
                 verbose: bool = False):
        super().__init__(
            optimizer,
            monitor=monitor,
            rule='less',
            factor=factor,
            patience=patience,
            threshold=threshold,
            min_value=min_value,
            eps=eps,
            begin=begin,
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
            verbose=verbose)
        self.iterations_seen = 0

    def _epoch_loss(self) -> float:
        hub = MessageHub.get_current_instance()
        scalars = hub.log_scalars
        if f'train/{self.monitor}' not in scalars:
            raise KeyError(
                f'no train/{self.monitor} was logged; there are '
                f'{[key for key in scalars if key.startswith("train/")]}')
        iterations = int(hub.get_info('iter')) + 1
        window = max(iterations - self.iterations_seen, 1)
        self.iterations_seen = iterations
        loss = torch.tensor(
            float(scalars[f'train/{self.monitor}'].mean(window)))
        all_reduce(loss, 'mean')
        return float(loss)

    def step(self, metrics: Optional[dict] = None) -> None:
        """Count an epoch and look at its loss.

        Args:
            metrics (dict, optional): Not used.
        """
        super().step()
        super().step({self.monitor: self._epoch_loss()})
