from typing import List, Union

from mmengine.optim import BaseOptimWrapper, PolyLR
from mmseg.registry import PARAM_SCHEDULERS
from torch.optim import Optimizer

_INF = int(1e9)


@PARAM_SCHEDULERS.register_module()
class PolyRatioLR(PolyLR):
    """Polynomial decay to a fraction of each group's own learning rate.

    The host's ``PolyLR`` ends all parameter groups at one ``eta_min``. A
    framework that multiplies the whole schedule per group (Paddle, and with
    it the official RTFormer) ends a group with ten times the rate at ten
    times the floor.

    Args:
        optimizer (Optimizer | BaseOptimWrapper): What is scheduled.
        eta_min_ratio (float): Last learning rate over the first of a group.
            Defaults to 0.
        power (float): Power of the polynomial. Defaults to 1.
        begin (int): Step at which the decay starts. Defaults to 0.
        end (int): Step at which the last rate is reached, one later than in
            the host's class: the official formula, whose last iteration still
            learns. Without it the runner puts the length of the training.
            Defaults to 1e9.
        last_step (int): See the host's class. Defaults to -1.
        by_epoch (bool): Whether steps are epochs. Defaults to True.
        verbose (bool): Whether every change is logged. Defaults to False.

    Raises:
        ValueError: If ``eta_min_ratio`` is not in [0, 1].
    """

    def __init__(self,
                 optimizer: Union[Optimizer, BaseOptimWrapper],
                 eta_min_ratio: float = 0.,
                 power: float = 1.,
                 begin: int = 0,
                 end: int = _INF,
                 last_step: int = -1,
                 by_epoch: bool = True,
                 verbose: bool = False):
        if not 0 <= eta_min_ratio <= 1:
            raise ValueError(f'eta_min_ratio must be in [0, 1], got '
                             f'{eta_min_ratio}')
        self.eta_min_ratio = eta_min_ratio
        super().__init__(
            optimizer,
            power=power,
            begin=begin,
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
            verbose=verbose)
        self.total_iters = end - begin

    def _get_value(self) -> List[float]:
        """The next rates, from the present ones as in the host's class."""
        rates = [group[self.param_name] for group in
                 self.optimizer.param_groups]
        if self.last_step == 0:
            return rates
        left = self.total_iters - self.last_step + 1
        factor = (1 - 1 / left)**self.power
        floors = [base * self.eta_min_ratio for base in self.base_values]
        return [(rate - floor) * factor + floor
                for rate, floor in zip(rates, floors)]
