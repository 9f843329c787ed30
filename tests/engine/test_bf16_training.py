"""Mixed precision on a CPU, which mmengine's wrapper refuses."""
import json
import multiprocessing

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn

from rtseg_plugin.engine import AmpOptimWrapper, amp_optim_wrapper
from tests.builders import load_config, shorten_runs, write_cityscapes

SIZE = (64, 128)
cpu_only = pytest.mark.skipif(
    torch.cuda.is_available(), reason="there the host's wrapper is used")


def wrapper(parameters, **kwargs):
    optimizer = torch.optim.SGD(parameters, lr=0.5)
    return AmpOptimWrapper(optimizer=optimizer, **kwargs)


@pytest.fixture
def bf16(monkeypatch):
    """A processor that has it."""
    monkeypatch.setattr(amp_optim_wrapper, 'computes_in_bfloat16',
                        lambda: True)


@cpu_only
def test_a_processor_without_it_computes_in_float32(monkeypatch):
    monkeypatch.setattr(amp_optim_wrapper, 'computes_in_bfloat16',
                        lambda: False)
    layer = nn.Linear(8, 1)
    with wrapper(layer.parameters()).optim_context(layer):
        assert layer(torch.randn(4, 8)).dtype == torch.float32


@cpu_only
def test_computes_in_bfloat16_and_steps_like_float32(bf16):
    torch.manual_seed(0)
    layer = nn.Linear(8, 1)
    other = nn.Linear(8, 1)
    other.load_state_dict(layer.state_dict())
    x = torch.randn(16, 8)
    amp = wrapper(layer.parameters())
    with amp.optim_context(layer):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    amp.update_params(y.float().square().mean())
    plain = OptimWrapper(torch.optim.SGD(other.parameters(), lr=0.5))
    plain.update_params(other(x).square().mean())
    assert layer.weight.dtype == torch.float32
    torch.testing.assert_close(
        layer.weight, other.weight, rtol=0.02, atol=0.02)


@cpu_only
def test_state_goes_through_a_checkpoint():
    layer = nn.Linear(2, 1)
    state = wrapper(layer.parameters()).state_dict()
    fresh = wrapper(layer.parameters())
    fresh.optimizer.param_groups[0]['lr'] = 0.
    fresh.load_state_dict(state)
    assert fresh.optimizer.param_groups[0]['lr'] == 0.5


@cpu_only
def test_a_scaler_goes_on_from_a_training_that_scaled_nothing():
    """From a CPU to a GPU, whose scaler refuses an empty state."""
    layer = nn.Linear(2, 1)
    state = wrapper(layer.parameters()).state_dict()
    assert state['loss_scaler'] == {}
    fresh = wrapper(layer.parameters())
    fresh.loss_scaler = torch.amp.GradScaler('cpu')
    fresh.load_state_dict(state)
    fresh.loss_scaler.load_state_dict = None  # is not asked
    fresh.load_state_dict(state)


@cpu_only
def test_refuses_half_precision():
    with pytest.raises(ValueError, match='on a CPU is bfloat16'):
        wrapper(nn.Linear(2, 1).parameters(), dtype='float16')


def train_the_recipe(folder):
    """Two iterations; what the backbone saw is left in seen.json."""
    shorten_runs(pytest.MonkeyPatch())
    amp_optim_wrapper.computes_in_bfloat16 = lambda: True
    write_cityscapes(folder / 'data', size=SIZE)
    cfg = load_config(
        'sctnet/sctnet-s-plain_1xb8-1k_synthetic-street-256x512.py')
    cfg.model.data_preprocessor.size = SIZE
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(folder / 'data')
        for transform in loader.dataset.pipeline:
            for key in ('scale', 'size'):
                if key in transform:
                    transform[key] = SIZE[::-1]
            if 'crop_size' in transform:
                transform.crop_size = SIZE
    cfg.train_dataloader.batch_size = 2
    cfg.load_from = None
    cfg.train_cfg = dict(
        type='IterBasedTrainLoop', max_iters=2, val_interval=2)
    cfg.work_dir = str(folder / 'work')
    cfg.log_level = 'ERROR'
    runner = Runner.from_cfg(cfg)
    seen = []
    weight = runner.model.backbone.stem[1][0].conv.weight
    runner.model.backbone.register_forward_hook(
        lambda module, args, out: seen.append(
            (module.training, str(out[0].dtype), weight.is_contiguous(
                memory_format=torch.channels_last))))
    runner.train()
    assert isinstance(runner.optim_wrapper, AmpOptimWrapper)
    (folder / 'seen.json').write_text(json.dumps(seen))


def test_the_recipe_trains(tmp_path):
    """Thin labels, channels last and mixed precision, in the real runner.

    In a process of its own, as a training is: beside other users of AMX in
    one process bfloat16 convolutions have ended in a segmentation fault.
    """
    process = multiprocessing.get_context('spawn').Process(
        target=train_the_recipe, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == 0
    seen = json.loads((tmp_path / 'seen.json').read_text())
    trained = [entry for entry in seen if entry[0]]
    assert len(trained) == 2
    if not torch.cuda.is_available():
        assert trained[0][1:] == ['torch.bfloat16', True]
    assert (tmp_path / 'work' / 'iter_2.pth').exists()
