"""The recipe that shards a large teacher, on two processes without a GPU."""
import subprocess
import sys

import pytest
import torch

from tests.builders import ROOT, load_config, write_cityscapes
from tests.engine.test_many_processes import launch

RECIPE = 'sctnet/examples/' \
    'segformer_mit-b5-fsdp_8xb1-160k_cityscapes-1024x1024.py'
SIZE = (64, 128)


def small(folder):
    """The recipe with little data and a small network."""
    write_cityscapes(folder / 'data', size=SIZE)
    cfg = load_config(RECIPE)
    cfg.model.data_preprocessor.size = SIZE
    cfg.model.backbone.update(
        init_cfg=None, embed_dims=8, num_layers=[1, 1, 1, 1])
    cfg.model.decode_head.update(
        in_channels=[8, 16, 40, 64], channels=16, norm_cfg=dict(type='BN'))
    if not torch.cuda.is_available():
        cfg.strategy.model_wrapper.device_id = 'cpu'
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(folder / 'data')
        for transform in loader.dataset.pipeline:
            if 'scale' in transform:
                transform.scale = SIZE[::-1]
            if 'crop_size' in transform:
                transform.crop_size = SIZE
    cfg.train_cfg = dict(
        type='IterBasedTrainLoop', max_iters=2, val_interval=9)
    cfg.default_hooks.logger.interval = 1
    cfg.work_dir = str(folder / 'work')
    cfg.dump(folder / 'small.py')
    return cfg


@pytest.mark.slow
def test_two_processes_share_a_network(tmp_path):
    cfg = small(tmp_path)
    done = launch(2, 'tools/train.py', tmp_path / 'small.py', '--launcher',
                  'pytorch')
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'Iter(train) [2/2]' in done.stdout + done.stderr
    # one ordinary file, which the host itself loads into a plain network
    code = (
        'import sys, rtseg_plugin\n'
        'from mmseg.apis import init_model\n'
        'init_model(*sys.argv[1:], device="cpu")\n')
    loaded = subprocess.run(
        [sys.executable, '-c', code, str(tmp_path / 'small.py'),
         f'{cfg.work_dir}/iter_2.pth'],
        cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert loaded.returncode == 0, loaded.stderr[-3000:]
    assert 'missing keys' not in loaded.stdout + loaded.stderr
    assert 'unexpected key' not in loaded.stdout + loaded.stderr
