"""A small training, here or in a process of its own, for tests that do it
harm.

``python -m tests.engine.faulty_run WORK_DIR [KEY=VALUE ...]`` trains a linear
network with dropout; keys are those of :func:`build`.
"""
import ast
import os
import random
import signal
import subprocess
import sys

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import DATASETS
from torch import nn
from torch.utils.data import Dataset, get_worker_info

import rtseg_plugin  # noqa: F401
from rtseg_plugin.utils.safe_load import safe_torch_load
from tests.builders import ROOT


class Samples(Dataset):
    """Numbers from all three generators, as augmentations draw them.

    torch's is that of the network where there are no workers.
    """

    def __init__(self, kill_worker=False):
        self.kill_worker = kill_worker

    def __len__(self):
        return 8

    def __getitem__(self, index):
        noise = [np.random.rand(), random.random(), 0.]
        if get_worker_info() is not None:
            if self.kill_worker:
                os.kill(os.getpid(), signal.SIGKILL)
            noise[2] = torch.rand(()).item()
        return dict(inputs=torch.tensor([float(index), *noise]))


class Pictures(Samples):
    """Means of the images of a folder, read as the recipes read them."""

    def __init__(self, root):
        step = dict(_scope_='rtseg_plugin')
        self.images = DATASETS.build(dict(
            type='CityscapesDataset', data_root=root,
            data_prefix=dict(img_path='leftImg8bit/train',
                             seg_map_path='gtFine/train'),
            pipeline=[dict(step, type='LoadImageFromFile'),
                      dict(step, type='LoadAnnotations'),
                      dict(type='PackSegInputs')]))  # yapf: disable

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        colours = self.images[index]['inputs'].float().mean((1, 2)) / 255
        return dict(inputs=torch.cat([colours, torch.ones(1)]))


class CutHook(Hook):
    """Cuts a file off when the first epoch is over."""

    def __init__(self, path):
        self.path = path

    def after_train_epoch(self, runner):
        os.truncate(self.path, os.path.getsize(self.path) // 2)


class Net(BaseModel):
    """Dropout makes it depend on torch's generator."""

    def __init__(self, nan_at=None, large=0):
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.3), nn.Linear(4, 4),
                                    nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.register_buffer('large', torch.zeros(large))
        self.nan_at, self.calls = nan_at, 0

    def forward(self, inputs, data_samples=None, mode='tensor'):
        out = self.layers(torch.stack(list(inputs)).float())
        if mode == 'predict':
            return [dict(score=o) for o in out]
        self.calls += 1
        loss = out.square().mean()
        return dict(loss=loss * float('nan') if self.calls == self.nan_at
                    else loss)


class Score(BaseMetric):

    def process(self, data_batch, data_samples):
        self.results += [float(s['score']) for s in data_samples]

    def compute_metrics(self, results):
        return dict(score=sum(results) / len(results))


class KillHook(Hook):
    """Ends the process as a power failure would."""

    priority = 'LOWEST'

    def __init__(self, at, saving):
        self.at, self.saving = at, saving

    def before_save_checkpoint(self, runner, checkpoint):
        if self.saving and runner.iter + 1 >= self.at:
            # while the file is being written
            checkpoint['state_dict']['bomb'] = _Bomb()

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        if not self.saving and runner.iter + 1 >= self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class _Bomb:

    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGKILL)


def build(work_dir, by_epoch=False, length=8, interval=1, val=0, workers=0,
          persistent=False, resume=False, keep=-1, kill=None, saving=False,
          nan_at=None, best=None, large=0, hook='SafeCheckpointHook',
          diff_rank_seed=False, kill_worker=False, images=None, hooks=()):
    """A runner; ``val`` is the interval of the validation, 0 for none.

    Started by torchrun it is one of several gloo processes.
    """
    init_default_scope('mmseg')
    many = 'WORLD_SIZE' in os.environ
    if many:  # as tools/train.py does on CPUs
        torch.distributed.init_process_group('gloo')
    torch.manual_seed(0)  # the runner's seed comes after the weights
    model = Net(nan_at=nan_at, large=large)
    loader = dict(
        batch_size=2, num_workers=workers, persistent_workers=persistent,
        dataset=Pictures(images) if images else Samples(kill_worker))
    train_cfg = dict(val_interval=val or 1000)
    if by_epoch:
        train_cfg.update(by_epoch=True, max_epochs=length)
    else:
        train_cfg.update(type='IterBasedTrainLoop', max_iters=length)
    custom = [
        dict(type='CheckpointCheckHook'),
        dict(type='RandomStateHook'),
        dict(type='FiniteLossHook'), *hooks
    ]
    if kill is not None:
        custom.append(KillHook(kill, saving))
    validation = dict(
        val_dataloader=dict(loader, sampler=dict(
            type='DefaultSampler', shuffle=False)),
        val_cfg=dict(), val_evaluator=[Score()]) if val else {}
    return Runner(
        model, work_dir, default_scope='mmseg', resume=resume,
        train_dataloader=dict(loader, sampler=dict(
            type='DefaultSampler' if by_epoch else 'InfiniteSampler',
            shuffle=True)),
        train_cfg=train_cfg,
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(
            type='SGD', lr=0.01, momentum=0.9)),
        default_hooks=dict(checkpoint=dict(
            type=hook, by_epoch=by_epoch, interval=interval,
            max_keep_ckpts=keep, save_best=best,
            rule='greater' if best else None)),
        custom_hooks=custom, log_level='ERROR',
        randomness=dict(seed=3, diff_rank_seed=diff_rank_seed),
        launcher='pytorch' if many else 'none',
        cfg=dict(model_wrapper_cfg=dict(type='GlooDataParallel'))
        if many else None,
        experiment_name=f'faulty-{os.path.basename(work_dir)}',
        **validation)  # yapf: disable


def train(work_dir, **kwargs):
    runner = build(str(work_dir), **kwargs)
    runner.train()
    return runner


def in_a_child(work_dir, prefix=(), **kwargs):
    return subprocess.run(
        [*prefix, sys.executable, '-m', 'tests.engine.faulty_run',
         str(work_dir), *(f'{k}={v!r}' for k, v in kwargs.items())],
        cwd=ROOT, env=dict(os.environ, OMP_NUM_THREADS='1'),
        capture_output=True, text=True, timeout=300)


def weights(work_dir, name):
    return safe_torch_load(work_dir / name)['state_dict']


def assert_same(this, other):
    assert this.keys() == other.keys()
    for key, value in this.items():
        assert torch.equal(value, other[key]), key


if __name__ == '__main__':
    torch.set_num_threads(1)
    arguments = dict(pair.split('=', 1) for pair in sys.argv[2:])
    build(sys.argv[1], **{
        key: ast.literal_eval(value) for key, value in arguments.items()
    }).train()
