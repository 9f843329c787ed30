"""Every config on disk: found, counted, built, and run on a tiny input."""
import copy
import re
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from tests.builders import CONFIGS, build_model, load_config, samples

FILES = sorted(p.relative_to(CONFIGS).as_posix()
               for p in CONFIGS.rglob('*.py') if '_base_' not in p.parts)
# mmpretrain's own configs; tests/configs/test_pretrain.py has them
SEGMENTORS = [f for f in FILES if '/pretrain/' not in f]
RECIPES = [f for f in SEGMENTORS if '/ablations/' not in f]

NETWORKS = sorted(p.parent.name for p in CONFIGS.glob('*/README.md'))


def test_count():
    """A test over configs is worth nothing if it finds none."""
    assert len(NETWORKS) >= 5
    for network in NETWORKS:
        assert [f for f in RECIPES if f.startswith(f'{network}/')], network
    # a folder of configs belongs to a network
    assert {f.split('/')[0] for f in FILES} == set(NETWORKS)


def test_file_names_are_unique():
    names = [Path(file).name for file in FILES]
    assert len(set(names)) == len(names)


def test_nothing_is_changed_by_its_place_in_a_list():
    """Bases name what recipes change; a place moves when one is added."""
    for path in sorted(CONFIGS.rglob('*.py')):
        found = re.search(r'[\w\]]\[-?\d+\]', path.read_text())
        assert found is None, f'{path}: {found[0]}'


@pytest.mark.parametrize('file', RECIPES)
def test_names_follow_the_pattern(file):
    assert re.fullmatch(
        r'[a-z0-9_-]+_\d+xb\d+-(\d+[ke]?|demo)_[a-z0-9-]+-\d+x\d+\.py',
        Path(file).name)


def check_completeness(cfg, folder):
    """Everything that a training needs is there and has a known type."""
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
        dataset = copy.deepcopy(cfg[key].dataset)
        while 'dataset' in dataset:
            dataset = dataset.dataset
        for part in dataset.get('datasets', [dataset]):
            if part.type.startswith('PascalContext'):  # wants its files
                part.data_root = str(folder)
                (folder / part.data_prefix.img_path).mkdir(exist_ok=True)
                listed = folder / part.ann_file
                listed.parent.mkdir(parents=True, exist_ok=True)
                listed.touch()
            DATASETS.build(dict(part, lazy_init=True))
    assert '_delete_' not in str(cfg)


def check_pipelines(cfg):
    """mmengine copies: who changes a step has to list the pipelines anew."""
    if 'test_steps' not in cfg:  # none at all, or ImageNet's
        return
    train, test = list(cfg.train_steps.values()), list(cfg.test_steps.values())
    assert cfg.train_pipeline == train
    dataset = cfg.train_dataloader.dataset
    for part in dataset.get('datasets', [dataset]):
        assert part.pipeline == train
    assert cfg.test_pipeline == test
    assert cfg.val_dataloader.dataset.pipeline == test
    if 'snippet_steps' in cfg:  # tested on whole snippets, never with --tta
        snippets = list(cfg.snippet_steps.values())
        assert cfg.snippet_pipeline == snippets
        assert cfg.test_dataloader.dataset.pipeline == snippets
        return
    tested = cfg.get('server_pipeline', test)
    if 'work_size_pipeline' not in cfg:
        assert cfg.test_dataloader.dataset.pipeline == tested
    # `mim test --tta` sees what the test sees, in several versions
    loaded = test.index(cfg.test_steps.load_annotations)
    assert cfg.tta_pipeline == [*tested[:loaded], cfg.tta]
    assert cfg.tta.transforms == tested[loaded:]


def check_length(cfg):
    """Schedules without an end of their own follow ``train_cfg``."""
    length = cfg.train_cfg.get('max_iters', cfg.train_cfg.get('max_epochs'))
    schedulers = cfg.param_scheduler
    if isinstance(schedulers, dict):
        schedulers = [schedulers]
    # a warm-up has a length of its own
    assert all(s.type == 'LinearLR' and s.end < length
               for s in schedulers if 'end' in s)


@pytest.mark.parametrize('file', SEGMENTORS)
def test_config(file, tmp_path):
    """What it says fits together, and its model can be built."""
    cfg = load_config(file)
    init_default_scope('mmseg')
    check_completeness(cfg, tmp_path)
    check_pipelines(cfg)
    if '/examples/' not in file:  # these are on the host's schedules
        check_length(cfg)
    model = build_model(cfg)
    assert sum(p.numel() for p in model.parameters()) > 1e6


@pytest.mark.parametrize('path', sorted(
    CONFIGS.glob('_base_/datasets/*.py')), ids=lambda path: path.stem)
def test_pipelines_of_a_base(path):
    check_pipelines(load_config(path))


def files_left_by(name):
    """Checkpoints that are there when a recipe has ended."""
    cfg = load_config(next(f for f in FILES if Path(f).stem == name))
    unit, length = next(
        (key[4:-1], cfg.train_cfg[key]) for key in ('max_iters', 'max_epochs')
        if key in cfg.train_cfg)
    hook = cfg.default_hooks.checkpoint
    saved = sorted({*range(hook.interval, length + 1, hook.interval), length})
    kept = hook.get('max_keep_ckpts', -1)
    return [f'{unit}_{n}.pth' for n in (saved[-kept:] if kept > 0 else saved)]


def test_what_a_recipe_starts_from_is_what_another_leaves():
    """Its ``load_from`` and its teacher, if they are of our recipes."""
    found = 0
    for file in SEGMENTORS:
        cfg = load_config(file)
        teacher = cfg.model.get('teacher', {}).get('checkpoint')
        for start in (cfg.get('load_from'), teacher):
            if start and start.startswith('work_dirs/'):
                _, name, checkpoint = start.split('/')
                assert checkpoint in files_left_by(name), (file, start)
                found += 1
    assert found > 20


@pytest.mark.parametrize('file', [f for f in FILES if '/pretrain/' in f])
def test_length_of_a_pre_training(file):
    check_length(load_config(file))


@pytest.mark.parametrize('network', NETWORKS)
def test_a_network_trains_from_nothing(network):
    """Without a teacher, a checkpoint or weights from elsewhere."""
    plain = [f for f in RECIPES if f.startswith(f'{network}/')
             and '-plain_' in f and 'synthetic' not in f]
    assert plain
    for file in plain:
        cfg = load_config(file)
        assert 'teacher' not in cfg.model, file
        assert cfg.get('load_from') is None, file
        assert 'Pretrained' not in str(cfg.model), file


def run_everything(file):
    """Loss and backward, predict and tensor, on a tiny input."""
    cfg = load_config(file)
    head = cfg.model.decode_head
    head = head[-1] if isinstance(head, (list, tuple)) else head
    torch.manual_seed(0)
    model = build_model(cfg)
    size = (64, 96)
    if 'psp' in file:  # PSPNet of LMANet takes sides of 8n + 1 pixels
        size = (65, 97)
    elif 'segformerblock' in file:  # reduces a feature of stride 32 by 4
        size = (128, 192)
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
