"""The two stages of LMANet and all video metrics, on rendered snippets."""
import copy
import importlib
import json
import math
import re
import sys

import cv2
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tests.builders import CONFIGS, ROOT, build_model, load_config, run_tool

SIZE = (64, 128)
# by pattern, since the sizes of the demos are a matter of taste
IMAGE = next(CONFIGS.glob('lmanet/erfnet_1x*-demo_*.py'))
STAGES = {
    stage: next(
        CONFIGS.glob(f'lmanet/lmanet-erfnet-s4-r21_{stage}_*-demo_*.py'))
    for stage in ('stage1', 'stage2')
}


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    """Two snippets of 20 frames and one to test on, with labels and flow."""
    root = tmp_path_factory.mktemp('street')
    tools = str(ROOT / 'tools/dataset_converters')
    threads = cv2.getNumThreads()
    sys.path.insert(0, tools)
    try:
        street = importlib.import_module('synthetic_street')
        assert street.main([
            str(root), '--size', '64x128', '--train', '2', '--val', '1',
            '--frames', '20', '--dense', '--jobs', '1'
        ]) == 0
    finally:
        cv2.setNumThreads(threads)
        sys.path.remove(tools)
    return root


def demo_config(stage, data_root, work_dir, load_from):
    """The demo recipe on tiny frames, for two iterations."""
    cfg = load_config(STAGES[stage])
    cfg.model.data_preprocessor.size = SIZE
    cfg.work_dir = str(work_dir)
    cfg.load_from = str(load_from)
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(data_root)
        for step in loader.dataset.pipeline:
            for transform in step.get('transforms', []):
                if 'scale' in transform:
                    transform.scale = SIZE[::-1]
                if 'crop_size' in transform:
                    transform.crop_size = SIZE
    cfg.train_dataloader.batch_size = 2
    cfg.train_cfg.update(max_iters=2, val_interval=2)
    cfg.default_hooks.checkpoint.interval = 2
    flow = cfg.test_evaluator[1].flow
    flow.root = str(data_root / 'flow/val')
    flow.img_root = str(data_root / 'leftImg8bit_sequence/val')
    cfg.randomness = dict(seed=3)
    cfg.log_level = 'ERROR'
    cfg.experiment_name = work_dir.name
    return cfg


class Start(Hook):
    """Keeps what a training starts from."""

    def before_train(self, runner):
        self.weights = copy.deepcopy(runner.model.state_dict())


def weights(path):
    return torch.load(path, weights_only=False)['state_dict']


@pytest.fixture(scope='module')
def stages(data_root, tmp_path_factory):
    """The start of each stage and its checkpoint, from an untrained ERFNet."""
    root = tmp_path_factory.mktemp('stages')
    torch.manual_seed(0)
    model = build_model(load_config(IMAGE))
    before = root / 'erfnet.pth'
    torch.save(dict(state_dict=model.state_dict()), before)
    result = {'image': (None, before)}
    for stage in STAGES:
        cfg = demo_config(stage, data_root, root / stage, before)
        runner, start = Runner.from_cfg(cfg), Start()
        runner.register_hook(start)
        runner.train()
        before = root / stage / 'iter_2.pth'
        result[stage] = start.weights, before
    return result


@pytest.mark.parametrize('stage, before, parts', [
    ('stage1', 'image', {'neck'}),
    ('stage2', 'stage1', {'neck', 'decode_head'}),
])
def test_a_stage_changes_its_parts(stages, stage, before, parts):
    start, path = stages[stage]
    after = weights(path)
    for name, value in weights(stages[before][1]).items():
        assert torch.equal(value, start[name]), name
    assert start.keys() == after.keys()
    changed = {n for n, v in after.items() if not torch.equal(v, start[n])}
    learning = {n for n in after if n.split('.')[0] in parts}
    assert changed == learning


def test_every_video_metric(stages, data_root, tmp_path):
    path = stages['stage2'][1]
    cfg = demo_config('stage2', data_root, tmp_path, path)
    metrics = Runner.from_cfg(cfg).test()
    for name in ('aAcc', 'mIoU', 'mTC', 'mVC8', 'mVC16', 'mVC8_strict',
                 'mVC16_strict'):
        assert math.isfinite(metrics[name]), name
        assert 0 < metrics[name] < 100, name
    # nothing was learned: what stands still is seldom right
    assert metrics['mVC8_strict'] < metrics['mVC8']


def test_multiply_adds_of_a_frame(tmp_path):
    """Of a stream whose memory is full; the image network is a part of it."""
    macs, flops = [], []
    for config in (IMAGE, STAGES['stage2']):
        result = run_tool(
            'analysis_tools/benchmark.py', config, '--network-only',
            '--shape', *SIZE, '--iterations', 2, '--warmup', 1, '--device',
            'cpu', '--work-dir', tmp_path / config.stem)
        assert result.returncode == 0, result.stderr
        assert ('memory full' in result.stdout) == (config != IMAGE)
        [report] = (tmp_path / config.stem).glob('fps_*.json')
        [network] = json.loads(report.read_text())['network']
        assert network['runs'] == 2
        macs.append(network['macs'])
        result = run_tool(
            'analysis_tools/get_flops.py', config, '--shape', *SIZE)
        assert result.returncode == 0, result.stderr
        flops.append(float(re.search(r'Flops: (\S+)G', result.stdout)[1]))
    assert flops == pytest.approx([count / 1e9 for count in macs], abs=1e-3)
    key, value, positions = 16, 64, SIZE[0] // 8 * (SIZE[1] // 8)
    convs = 9 * (2 * 128 * (key + value) + 2 * value * 128 + 2 * 128 * 128)
    read = 4 * 21**2 * (key + value)
    # beyond these only norms
    ratio = (macs[1] - macs[0]) / (positions * (convs + read))
    assert 1 < ratio < 1.05
