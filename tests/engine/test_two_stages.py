"""Freezing, and the plateau of the training loss, in real short runs."""
import copy

import pytest
import torch
from mmengine.config import Config
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


def test_freezing_keeps_a_compiled_step(tmp_path):
    """The model is what it was when its training step is compiled."""
    hook = dict(type='FreezeHook', prefixes=['backbone'])
    one = runner(tmp_path, TwoParts(), [hook])
    frozen = []
    one._maybe_compile = lambda step: frozen.append([
        parameter.requires_grad
        for parameter in one.model.backbone.parameters()
    ])
    one.train()
    assert frozen == [[False] * 4]


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


class Interrupt(Hook):

    def before_train_epoch(self, runner):
        if runner.epoch == 1:
            raise KeyboardInterrupt


class Trained(Hook):
    """Keeps what was loaded, and which epochs ran."""

    def __init__(self):
        self.start, self.epochs = None, []

    def before_train(self, runner):
        self.start = copy.deepcopy(runner.model.state_dict())

    def before_train_epoch(self, runner):
        self.epochs.append(runner.epoch)


def stage(work_dir, *hooks, **kwargs):
    return runner(
        work_dir,
        TwoParts(), [dict(type='CheckpointCheckHook'), *hooks],
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
        **kwargs)


def own_config(tmp_path, load_from):
    """A config as of a recipe that starts from a checkpoint."""
    path = tmp_path / 'stage2.py'
    path.write_text(f'load_from = {load_from!r}\n')
    return Config.fromfile(path)


def saved(path):
    return torch.load(path, weights_only=False)['state_dict']


def same(this, other):
    return all(torch.equal(value, other[key]) for key, value in this.items())


@pytest.mark.parametrize('own', [True, False])
def test_an_interrupted_second_stage_goes_on(tmp_path, own):
    """Also where ``load_from`` was given by hand, in both commands."""
    stage(tmp_path / '1').train()
    first = str(tmp_path / '1' / 'epoch_2.pth')
    more = dict(load_from=first)
    if own:
        more['cfg'] = own_config(tmp_path, first)
    trained = Trained()
    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / '2', trained, Interrupt(), **more).train()
    assert same(trained.start, saved(first))
    trained = Trained()
    stage(tmp_path / '2', trained, resume=True, **more).train()
    assert trained.epochs == [1]
    assert same(trained.start, saved(tmp_path / '2' / 'epoch_1.pth'))
    assert not same(trained.start, saved(first))


def test_a_second_stage_with_nothing_to_resume_starts(tmp_path):
    """Interrupted before it saved anything."""
    stage(tmp_path / '1').train()
    first = str(tmp_path / '1' / 'epoch_2.pth')
    trained = Trained()
    stage(tmp_path / '2', trained, resume=True, load_from=first,
          cfg=own_config(tmp_path, first)).train()
    assert trained.epochs == [0, 1]
    assert same(trained.start, saved(first))


@pytest.mark.parametrize('inside', [True, False])
def test_resume_from_a_chosen_file(tmp_path, inside):
    """One of the own checkpoints, or one of elsewhere into an empty dir."""
    stage(tmp_path / '1').train()
    chosen = str(tmp_path / '1' / 'epoch_1.pth')
    trained = Trained()
    stage(tmp_path / ('1' if inside else 'new'), trained, resume=True,
          load_from=chosen, cfg=own_config(tmp_path, 'start.pth')).train()
    assert trained.epochs == [1]
    assert same(trained.start, saved(chosen))
