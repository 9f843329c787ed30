"""Freezing, in real short runs."""
import copy

import pytest
import torch
from mmengine.model import MMDistributedDataParallel

from tests.engine.two_parts import TwoParts, runner


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
