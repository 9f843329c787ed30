"""A model of two parts, and a runner that trains it for a few epochs."""
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn


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
