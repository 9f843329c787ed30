"""Checkpoints that are not of the model; what a training resumes."""
import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from torch import nn

from rtseg_plugin.engine import CheckpointCheckHook
from rtseg_plugin.utils.checkpoint_check import what_starts_at_random
from tests.builders import write_cityscapes
from tests.engine import faulty_run
from tests.engine.demo_run import SIZE, demo_config, run_test, train, weights
from tests.engine.two_parts import TwoParts, runner


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    root = tmp_path_factory.mktemp('cityscapes')
    write_cityscapes(root, size=SIZE)
    return root


@pytest.fixture(scope='module')
def checkpoint(data_root, tmp_path_factory):
    """Of the demo recipe's network, from a training of one iteration."""
    work_dir = tmp_path_factory.mktemp('one')
    train(demo_config(data_root, work_dir, 1))
    return work_dir / 'iter_1.pth'


def test_checkpoint_of_another_network(data_root, tmp_path):
    path = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'backbone.w': torch.zeros(1)}), path)
    cfg = demo_config(data_root, tmp_path, 4)
    with pytest.raises(RuntimeError, match=r'not of this model.*are missing'):
        run_test(cfg, path)


def test_checkpoint_of_another_class_count(checkpoint, data_root,
                                           tmp_path):
    cfg = demo_config(data_root, tmp_path, 4)
    cfg.model.decode_head.num_classes = 11
    cfg.model.auxiliary_head.num_classes = 11
    with pytest.raises(RuntimeError, match='number of classes differs'):
        run_test(cfg, checkpoint)


def test_resume_from_another_class_count(checkpoint, data_root, tmp_path):
    """Also where the inference network is the same: of the auxiliary head."""
    cfg = demo_config(data_root, tmp_path, 4)
    cfg.model.auxiliary_head.num_classes = 20
    cfg.model.auxiliary_head.ignore_index = 255
    cfg.resume, cfg.load_from = True, str(checkpoint)
    with pytest.raises(RuntimeError, match='number of classes differs'):
        train(cfg)


def test_training_from_a_checkpoint_of_which_nothing_fits(
        checkpoint, data_root, tmp_path):
    own = weights(checkpoint)
    torch.save({f'x.{k}': v for k, v in own.items()}, tmp_path / 'x.pth')
    cfg = demo_config(data_root, tmp_path, 1)
    cfg.load_from = str(tmp_path / 'x.pth')
    with pytest.raises(RuntimeError, match=r'x\.pth.*none of its \d+ tensors'):
        train(cfg)
    # a part of it is a start like any other
    part = {k: v for k, v in own.items() if k.startswith('backbone.stem')}
    torch.save(part, tmp_path / 'part.pth')
    cfg = demo_config(data_root, tmp_path, 1)
    cfg.load_from = str(tmp_path / 'part.pth')
    train(cfg)


class Backbone(BaseModule):

    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.first = nn.Conv2d(3, 4, 1)  # 16 numbers
        self.second = nn.Conv2d(4, 8, 1)  # 40


class Network(nn.Module):

    def __init__(self, init_cfg=None):
        super().__init__()
        self.backbone = Backbone(init_cfg)
        self.decode_head = nn.Conv2d(8, 2, 1)


def test_heads_are_no_news():
    state = {f'backbone.{key}': value
             for key, value in Backbone().state_dict().items()}
    assert what_starts_at_random(Network(), state) is None


def test_counts():
    state = Network().state_dict()
    state['backbone.second.weight'] = torch.zeros(8, 5, 1, 1)
    del state['backbone.second.bias']
    said = what_starts_at_random(Network(), state)
    assert said == ('2 of 4 tensors, 4e-05 of 5.6e-05 million numbers, start '
                    'at random: backbone.second.weight, backbone.second.bias')


@pytest.mark.parametrize('prefix, list_of_two, resume', [
    ('backbone.', False, False),
    ('backbone', True, False),
    (None, False, False),
    ('backbone.', False, True),
])
def test_the_hook_says_it(tmp_path, prefix, list_of_two, resume):
    """Before anything is loaded; a resumed training needs no start, one that
    finds nothing to resume does."""
    path = str(tmp_path / 'start.pth')
    state = {'first.weight': torch.zeros(4, 3, 1, 1),
             'first.bias': torch.zeros(4)}
    if prefix:
        state = {f'backbone.{key}': value for key, value in state.items()}
    torch.save(dict(state_dict=state), path)
    init_cfg = dict(type='Pretrained', checkpoint=path)
    if prefix:
        init_cfg['prefix'] = prefix
    if list_of_two:
        init_cfg = [dict(type='Kaiming', layer='Conv2d'), init_cfg]
    model = Network(init_cfg)
    said = []
    work_dir = tmp_path / 'work'
    work_dir.mkdir()
    if resume:
        torch.save(dict(state_dict={}), work_dir / 'iter_1.pth')
    runner = SimpleNamespace(
        model=SimpleNamespace(module=model),
        optim_wrapper=OptimWrapper(
            torch.optim.SGD(model.parameters(), lr=1.)),
        logger=SimpleNamespace(warning=said.append),
        work_dir=str(work_dir),
        _load_from=None,
        _resume=True)
    CheckpointCheckHook().before_run(runner)
    assert said == ([] if resume else [
        f'start weights {path} do not fill backbone: 2 of 4 tensors, 4e-05 of '
        '5.6e-05 million numbers, start at random: second.weight, second.bias'
    ])


def test_nothing_readable_is_an_error(tmp_path):
    faulty_run.train(tmp_path, length=1)
    path = tmp_path / 'iter_1.pth'
    path.write_bytes(path.read_bytes()[:999])
    with pytest.raises(RuntimeError, match='nothing in .* can be resumed.*'
                       'iter_1.pth'):
        faulty_run.train(tmp_path, length=4, resume=True)


def test_nothing_at_all_starts(tmp_path):
    assert faulty_run.train(tmp_path, length=1, resume=True).iter == 1


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
