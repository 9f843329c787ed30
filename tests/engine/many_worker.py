"""One of several gloo processes, or the only one; see test_many_processes."""
import os
import sys

import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

import rtseg_plugin  # noqa: F401

GLOBAL_BATCH = 8


class Net(BaseModel):
    """In float64, without anything that depends on the share of a process."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Tanh(),
                                    nn.Linear(8, 1)).double()

    def forward(self, inputs, data_samples=None, mode='tensor'):
        out = self.layers(torch.stack(list(inputs)))
        if mode == 'predict':
            return [dict(score=o) for o in out]
        return dict(loss=(out.sin() - 3).square().mean())


class Score(BaseMetric):

    def process(self, data_batch, data_samples):
        self.results += [float(s['score']) for s in data_samples]

    def compute_metrics(self, results):
        return dict(score=sum(results), count=len(results))


class Record(Hook):
    """Rates and metrics, and the death of a rank."""

    priority = 'VERY_LOW'

    def __init__(self, dying):
        self.rates, self.metrics, self.dying = [], [], dying

    def after_train_epoch(self, runner):
        self.rates.append(runner.optim_wrapper.get_lr()['lr'][0])
        if runner.rank == self.dying:
            raise RuntimeError('this rank is dying')

    def after_val_epoch(self, runner, metrics=None):
        self.metrics.append(metrics)


def main(out, dying=None):
    init_default_scope('mmseg')
    world = int(os.environ.get('WORLD_SIZE', 1))
    if world > 1:  # as tools/train.py does on CPUs
        torch.distributed.init_process_group('gloo')
    generator = torch.Generator().manual_seed(2)
    data = [
        dict(inputs=torch.randn(4, generator=generator).double())
        for _ in range(12)
    ]
    record = Record(dying)
    loader = dict(
        batch_size=GLOBAL_BATCH // world, num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True))
    runner = Runner(
        Net(), f'{out}/work_dir', default_scope='mmseg',
        train_dataloader=dict(loader, dataset=data),
        val_dataloader=dict(loader, dataset=data[:10]),
        val_cfg=dict(), val_evaluator=[Score()],
        train_cfg=dict(by_epoch=True, max_epochs=6),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(
            type='SGD', lr=0.3, momentum=0.9)),
        param_scheduler=[dict(
            type='ReduceOnTrainLossPlateauLR', patience=0, factor=0.5,
            min_value=0., end=6)],
        custom_hooks=[record], randomness=dict(seed=4), log_level='ERROR',
        launcher='pytorch' if world > 1 else 'none',
        cfg=dict(model_wrapper_cfg=dict(type='GlooDataParallel'))
        if world > 1 else None,
        experiment_name=f'many-{os.path.basename(out)}')  # yapf: disable
    runner.train()
    model = getattr(runner.model, 'module', runner.model)
    torch.save(
        dict(state=model.state_dict(), rates=record.rates,
             metrics=record.metrics), f'{out}/rank{runner.rank}.pth')


if __name__ == '__main__':
    torch.set_num_threads(1)
    main(sys.argv[1], *map(int, sys.argv[2:]))
