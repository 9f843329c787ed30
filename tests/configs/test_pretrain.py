"""ImageNet pre-training configs; need mmpretrain (extra 'pretrain')."""
import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.runner.checkpoint import _load_checkpoint_with_prefix

from tests.builders import CONFIGS, build_model, load_config

FILES = sorted(CONFIGS.glob('*/pretrain/*.py'))
RECIPE = {
    'sctnet-s': 'sctnet/sctnet-s-seg50_2xb8-160k_cityscapes-512x1024.py',
    'sctnet-b': 'sctnet/sctnet-b-seg50_2xb8-160k_cityscapes-512x1024.py',
    'rtformer-slim': 'rtformer/rtformer-slim_4xb3-120k_cityscapes-512x1024.py',
    'rtformer-base': 'rtformer/rtformer-base_4xb3-120k_cityscapes-512x1024.py',
    'gain-r18': 'gain/gain-r18_2xb8-80k_cityscapes-1024x1024.py',
    'gain-df2': 'gain/gain-df2_2xb8-80k_cityscapes-1024x1024.py',
    'sctnet-b-resblock':
    'sctnet/ablations/sctnet-b-baseline_2xb8-160k_cityscapes-1024x1024.py',
}


def test_count():
    assert sorted(f.name.split('_')[0] for f in FILES) == sorted(RECIPE)


@pytest.mark.parametrize('file', FILES, ids=lambda f: f.stem)
def test_config_reads(file):
    cfg = Config.fromfile(file)
    assert cfg.default_scope == 'mmpretrain'
    assert cfg.model.backbone.type.startswith('mmseg.')
    assert f'xb{cfg.train_dataloader.batch_size}-' in file.name


def folder_of_images(root, classes=2, images=4):
    rng = np.random.default_rng(0)
    for c in range(classes):
        (root / str(c)).mkdir(parents=True)
        for i in range(images):
            image = rng.integers(0, 255, (64, 64, 3), np.uint8)
            cv2.imwrite(str(root / str(c) / f'{i}.png'), image)


@pytest.fixture(scope='module')
def torchvision():
    """What mmpretrain imports without saying so.

    Registries have it for CUDA. Beside a torch for CPUs its operators are not
    there, and it is imported once the two that it looks for are declared.
    """
    try:
        yield pytest.importorskip('torchvision')
    except RuntimeError:
        library = torch.library.Library('torchvision', 'DEF')
        for name in ('nms', 'qnms'):
            library.define(f'{name}(Tensor dets, Tensor scores, '
                           'float iou_threshold) -> Tensor')
        yield pytest.importorskip('torchvision')


@pytest.mark.pretrain
@pytest.mark.parametrize('file', FILES, ids=lambda f: f.stem)
def test_two_iterations_and_load(file, tmp_path, torchvision):
    pytest.importorskip('mmpretrain')
    folder_of_images(tmp_path / 'images')
    cfg = Config.fromfile(file)
    cfg.work_dir = str(tmp_path / 'work')
    cfg.experiment_name = file.stem
    cfg.model.backbone.norm_cfg.type = 'BN'
    cfg.model.head.num_classes = cfg.data_preprocessor.num_classes = 2
    cfg.model.head.topk = (1, )
    cfg.train_dataloader.update(
        batch_size=4, num_workers=0, persistent_workers=False)
    cfg.train_dataloader.dataset = dict(
        type='CustomDataset',
        data_root=str(tmp_path / 'images'),
        pipeline=cfg.train_pipeline)
    for key in ('val_dataloader', 'val_evaluator', 'val_cfg',
                'test_dataloader', 'test_evaluator', 'test_cfg'):
        cfg.pop(key, None)
    cfg.train_cfg = dict(by_epoch=True, max_epochs=1)  # of two iterations
    cfg.param_scheduler = []
    try:
        Runner.from_cfg(cfg).train()
    finally:
        DefaultScope._instance_dict.clear()
    checkpoint = str(tmp_path / 'work' / 'epoch_1.pth')

    recipe = load_config(RECIPE[file.name.split('_')[0]])
    init_cfg = recipe.model.backbone.pop('init_cfg')
    if isinstance(init_cfg, list):  # the other layers' start comes before
        init_cfg = init_cfg[-1]
    assert init_cfg.prefix == 'backbone.'
    model = build_model(recipe)
    state = _load_checkpoint_with_prefix(init_cfg.prefix, checkpoint, 'cpu')
    model.backbone.load_state_dict(state, strict=True)
