"""The plateau of the training loss, in real short runs."""
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmseg.registry import PARAM_SCHEDULERS
from torch import nn

from rtseg_plugin.engine import ReduceOnTrainLossPlateauLR
from tests.engine.two_parts import TwoParts, runner

SCHEDULER = dict(
    type='ReduceOnTrainLossPlateauLR',
    patience=0,
    factor=0.8,
    min_value=0.,
    end=4)


def test_plateau_sees_the_mean_of_the_epoch(tmp_path):
    """Two iterations an epoch; only the mean tells epoch 2 from epoch 3."""
    model = TwoParts([4., 2., 1., 3., 3., 3., 1., 1.])
    one = runner(tmp_path, model, epochs=4, scheduler=[dict(SCHEDULER)])
    rates = []
    one.register_hook(Record(rates), 'VERY_LOW')
    one.train()
    # means 3, 2, 3 (worse: cut), 1
    assert rates == pytest.approx([1, 1, 0.8, 0.8])


class Record(Hook):

    def __init__(self, rates):
        self.rates = rates

    def after_train_epoch(self, runner):
        self.rates.append(runner.optim_wrapper.get_lr()['lr'][0])


def test_plateau_resumes(tmp_path):
    losses = [3., 3., 2., 2., 2., 2., 2., 2.]
    whole = runner(
        tmp_path / 'whole', TwoParts(losses), epochs=4,
        scheduler=[dict(SCHEDULER)])
    whole.train()
    half = runner(
        tmp_path / 'half', TwoParts(losses[:4]), epochs=2,
        scheduler=[dict(SCHEDULER)])
    half.train()
    rest = runner(
        tmp_path / 'half', TwoParts(losses[4:]), epochs=4,
        scheduler=[dict(SCHEDULER)], resume=True)
    rest.train()
    want = whole.param_schedulers[0].state_dict()
    got = rest.param_schedulers[0].state_dict()
    assert got == want
    assert got['best'] == 2
    assert rest.optim_wrapper.get_lr()['lr'][0] == pytest.approx(0.8)


def test_plateau_averages_over_processes(monkeypatch):
    module = ReduceOnTrainLossPlateauLR.__module__
    asked = []

    def all_reduce(value, op):
        asked.append(op)
        value.fill_(5.)

    monkeypatch.setattr(f'{module}.all_reduce', all_reduce)
    hub = MessageHub.get_instance('plateau')
    monkeypatch.setattr(MessageHub, 'get_current_instance', lambda: hub)
    hub.update_info('iter', 0)
    hub.update_scalar('train/loss', 1.)
    parameter = nn.Parameter(torch.zeros(1))
    scheduler = PARAM_SCHEDULERS.build(
        dict(SCHEDULER, optimizer=torch.optim.SGD([parameter], lr=1.)))
    scheduler.step()
    assert asked == ['mean']
    assert scheduler.best == 5


def test_plateau_without_the_scalar():
    hub = MessageHub.get_instance('empty')
    hub.update_info('iter', 0)
    parameter = nn.Parameter(torch.zeros(1))
    scheduler = ReduceOnTrainLossPlateauLR(
        torch.optim.SGD([parameter], lr=1.), monitor='lost')
    with pytest.raises(KeyError, match='train/lost'):
        scheduler.step()
