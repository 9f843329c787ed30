"""Every config on disk: found, counted, built, and run on a tiny input."""
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from tests.builders import CONFIGS, build_model, samples

FILES = sorted(p.relative_to(CONFIGS).as_posix()
               for p in CONFIGS.rglob('*.py') if '_base_' not in p.parts)
# mmpretrain's own configs; tests/configs/test_pretrain.py has them
SEGMENTORS = [f for f in FILES if '/pretrain/' not in f]
RECIPES = [f for f in SEGMENTORS if '/ablations/' not in f]

EXPECTED = {
    'fanet': 10,
    'fanet/ablations': 16,
    'gain': 7,
    'gain/ablations': 14,
    'gain/examples': 2,
    'lmanet': 9,
    'lmanet/ablations': 29,
    'lmanet/examples': 4,
    'lmanet/worksize': 3,
    'rtformer': 9,
    'rtformer/ablations': 15,
    'rtformer/pretrain': 2,
    'sctnet': 10,
    'sctnet/ablations': 22,
    'sctnet/any_pair': 5,
    'sctnet/pretrain': 2,
}


def test_count():
    """A test over configs is worth nothing if it finds none."""
    folders = {}
    for file in FILES:
        folder = file.rsplit('/', 1)[0]
        folders[folder] = folders.get(folder, 0) + 1
    assert folders == EXPECTED


def test_file_names_are_unique():
    names = [Path(file).name for file in FILES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize('file', RECIPES)
def test_names_follow_the_pattern(file):
    assert re.fullmatch(
        r'[a-z0-9_-]+_\d+xb\d+-(\d+k|\d+e|demo)_[a-z0-9-]+-\d+x\d+\.py',
        Path(file).name)


def load(file):
    init_default_scope('mmseg')
    return Config.fromfile(CONFIGS / file)


@pytest.mark.parametrize('file', SEGMENTORS)
def test_config_is_complete(file):
    """Everything that a training needs is there and has a known type."""
    cfg = load(file)
    for key in ('model', 'train_dataloader', 'val_dataloader',
                'test_dataloader', 'val_evaluator', 'test_evaluator',
                'optim_wrapper', 'param_scheduler', 'train_cfg',
                'default_hooks'):
        assert key in cfg, key
    hooks = [hook.type for hook in cfg.custom_hooks]
    assert hooks[:2] == ['CheckpointCheckHook', 'RandomStateHook']
    assert cfg.default_scope == 'mmseg'
    assert cfg.custom_imports.imports == ['rtseg_plugin']
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        # the class and its arguments, without the files
        dataset = cfg[key].dataset
        while 'dataset' in dataset:
            dataset = dataset.dataset
        DATASETS.build(dict(dataset, lazy_init=True))
    assert '_delete_' not in cfg.pretty_text


def run_everything(file):
    """Loss and backward, predict and tensor, on a tiny input."""
    cfg = load(file)
    head = cfg.model.decode_head
    head = head[-1] if isinstance(head, (list, tuple)) else head
    torch.manual_seed(0)
    model = build_model(cfg)
    # PSPNet of LMANet takes sides of 8n + 1 pixels
    size = (65, 97) if 'psp101' in file else (64, 96)
    # a video network gets clips, of as many frames as fill its memory
    video = cfg.model.type == 'VideoEncoderDecoder'
    inputs = torch.randn(2, *((3, ) if video else ()), 3, *size)
    data_samples = samples(
        2, size, min(head.num_classes, 19), head.get('ignore_index', 255))
    model.train()
    total, _ = model.parse_losses(model.loss(inputs, data_samples))
    total.backward()
    assert total.isfinite()
    without = [n for n, p in model.named_parameters() if p.grad is None]
    assert not without
    model.eval()
    with torch.no_grad():
        results = model.predict(inputs, data_samples)
        logits = model(inputs, mode='tensor')
    assert results[0].pred_sem_seg.shape == size
    assert results[0].seg_logits.data.shape[0] == head.num_classes
    # a head may give a pair
    logits = logits[0] if isinstance(logits, tuple) else logits
    assert logits.shape[:2] == (2, head.num_classes)


@pytest.mark.parametrize('file', SEGMENTORS)
def test_every_config_builds(file):
    model = build_model(load(file))
    assert sum(p.numel() for p in model.parameters()) > 1e6


@pytest.mark.parametrize('file', [
    'sctnet/sctnet-s-seg50_2xb8-160k_cityscapes-512x1024.py',
    'sctnet/sctnet-s_1xb4-demo_synthetic-street-256x512.py',
    'rtformer/rtformer-slim_4xb3-120k_cityscapes-512x1024.py',
    'fanet/fanet-18_2xb8-80k_cityscapes-1024x1024.py',
    'fanet/fanet-18-t2_2xb8-20k_cityscapes-1024x1024.py',
    'gain/gain-r18_2xb8-80k_cityscapes-1024x1024.py',
    'lmanet/lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py',
])
def test_smallest_networks_run(file):
    run_everything(file)


@pytest.mark.slow
@pytest.mark.parametrize('file', SEGMENTORS)
def test_every_config_runs(file):
    run_everything(file)
