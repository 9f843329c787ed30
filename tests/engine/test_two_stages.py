"""Freezing, and the plateau of the training loss, in real short runs."""
import copy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import PARAM_SCHEDULERS
from torch import nn

from rtseg_plugin.engine import ReduceOnTrainLossPlateauLR


class TwoParts(BaseModel):
    """A frozen and a learning part, whose loss a test prescribes."""

    def __init__(self, losses=()):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.head = nn.Linear(2, 1)
        self.losses = list(losses)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        inputs = torch.stack(list(inputs))
        out = self.head(self.backbone(inputs)).mean()
        if self.losses:
            out = out - out.detach() + self.losses.pop(0)
        return dict(loss=out)


def runner(tmp_path, model, hooks=(), epochs=2, scheduler=None, **kwargs):
    init_default_scope('mmseg')
    data = [dict(inputs=torch.rand(2)) for _ in range(4)]
    return Runner(
        model,
        str(tmp_path),
        train_dataloader=dict(
            batch_size=2,
            num_workers=0,
            dataset=data,
            sampler=dict(type='DefaultSampler', shuffle=False)),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=OptimWrapper(
            torch.optim.Adam(model.parameters(), lr=1., weight_decay=0.1)),
        param_scheduler=scheduler,
        custom_hooks=list(hooks),
        default_scope='mmseg',
        experiment_name=f'{tmp_path.name}-{id(model)}',
        **kwargs)


@pytest.mark.parametrize('eval_mode', [False, True])
def test_freeze(tmp_path, eval_mode):
    model = TwoParts()
    before = copy.deepcopy(model.state_dict())
    hook = dict(type='FreezeHook', prefixes='backbone', eval_mode=eval_mode)
    runner(tmp_path, model, [hook]).train()
    after = model.state_dict()
    for name in ('backbone.0.weight', 'backbone.1.weight'):
        assert torch.equal(after[name], before[name])
    assert not torch.equal(after['head.weight'], before['head.weight'])
    statistics = 'backbone.1.running_mean'
    assert torch.equal(after[statistics], before[statistics]) == eval_mode


def test_freeze_under_ddp(tmp_path, monkeypatch):
    """DDP was built before the hook; it must not wait for gradients."""
    if not torch.distributed.is_initialized():
        for key, value in dict(
                MASTER_ADDR='127.0.0.1', MASTER_PORT='0', RANK='0',
                WORLD_SIZE='1', LOCAL_RANK='0').items():
            monkeypatch.setenv(key, value)
        torch.distributed.init_process_group(
            'gloo', init_method=f'file://{tmp_path}/store', rank=0,
            world_size=1)
    try:
        model = TwoParts()
        hook = dict(type='FreezeHook', prefixes=['backbone'])
        one = runner(tmp_path, model, [hook])
        # the runner's own method insists on a GPU
        one.wrap_model = lambda cfg, model: MMDistributedDataParallel(
            module=model)
        one.model = wrapped = one.wrap_model(None, model)
        one.train()
        assert one.model is not wrapped
        assert one.model.module is model
        assert all(p.grad is None for p in model.backbone.parameters())
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.parametrize('prefixes, says', [
    (['encoder'], "nothing is named 'encoder'"),
    (['backbone', 'head'], 'whole model'),
])
def test_freeze_errors(tmp_path, prefixes, says):
    hook = dict(type='FreezeHook', prefixes=prefixes)
    with pytest.raises(ValueError, match=says):
        runner(tmp_path, TwoParts(), [hook]).train()


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
