"""What start weights leave at random is said, with the counts."""
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from torch import nn

from rtseg_plugin.engine.hooks import CheckpointCheckHook
from rtseg_plugin.utils.checkpoint_check import what_starts_at_random


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
