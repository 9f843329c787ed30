"""Runs of the real runner on files on disk, a few iterations each."""
import copy

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmseg.apis import inference_model, init_model

from rtseg_plugin.utils.safe_load import UnsafeCheckpointError
from tests.builders import write_cityscapes
from tests.engine.demo_run import (
    SIZE,
    demo_config,
    run_test,
    tiny_config,
    train,
    weights,
)


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    root = tmp_path_factory.mktemp('cityscapes')
    write_cityscapes(root, size=SIZE)
    return root


@pytest.fixture(scope='module')
def four_iterations(data_root, tmp_path_factory):
    """Work dir of a training of 4 iterations, saved after 2 and 4."""
    work_dir = tmp_path_factory.mktemp('four')
    runner = train(demo_config(data_root, work_dir, 4, save_every=2))
    return work_dir, runner


def test_checkpoint_holds_no_teacher(four_iterations):
    work_dir, runner = four_iterations
    assert runner.model.teacher.is_built
    checkpoint = torch.load(work_dir / 'iter_4.pth', weights_only=False)
    assert {k.split('.')[0] for k in checkpoint['state_dict']} == {
        'backbone', 'decode_head', 'auxiliary_head', 'alignments'
    }
    optimised = sum(
        p.numel() for group in runner.optim_wrapper.optimizer.param_groups
        for p in group['params'])
    assert optimised == sum(p.numel() for p in runner.model.parameters())
    log = (work_dir / runner.timestamp / 'vis_data').rglob('*.json')
    assert any(True for _ in log)


def test_resume_gives_the_same_bits(four_iterations, data_root, tmp_path):
    work_dir, _ = four_iterations
    cfg = demo_config(data_root, tmp_path, 4)
    cfg.resume = True
    cfg.load_from = str(work_dir / 'iter_2.pth')
    train(cfg)
    whole = weights(work_dir / 'iter_4.pth')
    resumed = weights(tmp_path / 'iter_4.pth')
    assert whole.keys() == resumed.keys()
    for key, value in whole.items():
        assert torch.equal(value, resumed[key]), key


def test_training_changes_the_weights(four_iterations):
    work_dir, _ = four_iterations
    before, after = (
        weights(work_dir / f'iter_{i}.pth')['backbone.stem.0.0.conv.weight']
        for i in (2, 4))
    assert not torch.equal(before, after)


def test_test_and_inference_load_a_training_checkpoint(
        four_iterations, data_root, tmp_path):
    work_dir, _ = four_iterations
    cfg = demo_config(data_root, tmp_path, 4)
    # neither a test nor inference may touch the teacher
    cfg.model.teacher.checkpoint = 'no/such/file.pth'
    cfg.load_from = str(work_dir / 'iter_4.pth')
    metrics = Runner.from_cfg(copy.deepcopy(cfg)).test()
    assert 0 <= metrics['mIoU'] <= 100
    # the host changes the config of a model that got an array
    model = init_model(copy.deepcopy(cfg), cfg.load_from, device='cpu')
    image = np.zeros((*SIZE, 3), np.uint8)
    assert inference_model(model, image).pred_sem_seg.shape == SIZE
    path = str(next((data_root / 'leftImg8bit' / 'val').rglob('*.png')))
    model = init_model(copy.deepcopy(cfg), cfg.load_from, device='cpu')
    assert inference_model(model, path).pred_sem_seg.shape == SIZE
    assert not model.teacher.is_built


def test_missing_and_truncated_checkpoint(four_iterations, data_root,
                                          tmp_path):
    work_dir, _ = four_iterations
    cut = tmp_path / 'cut.pth'
    cut.write_bytes((work_dir / 'iter_4.pth').read_bytes()[:100_000])
    with pytest.raises(RuntimeError, match=r'cut\.pth.*cut off'):
        run_test(demo_config(data_root, tmp_path, 4), cut)
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        run_test(demo_config(data_root, tmp_path, 4), tmp_path / 'nowhere.pth')


class Payload:
    """Pickles into a call that leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


@pytest.mark.parametrize('legacy', [
    False, pytest.param(True, marks=pytest.mark.slow)])
def test_checkpoint_that_carries_code(data_root, tmp_path, legacy):
    trace = tmp_path / 'ran'
    path = tmp_path / 'code.pth'
    torch.save(
        dict(state_dict={}, meta=Payload(trace)),
        path,
        _use_new_zipfile_serialization=not legacy)
    cfg = demo_config(data_root, tmp_path, 4)
    with pytest.raises(UnsafeCheckpointError, match='may carry code'):
        run_test(cfg, path)
    cfg = demo_config(data_root, tmp_path, 4)
    cfg.resume, cfg.load_from = True, str(path)
    with pytest.raises(UnsafeCheckpointError):
        train(cfg)
    cfg = demo_config(data_root, tmp_path, 4)
    cfg.model.teacher.checkpoint = str(path)
    with pytest.raises(UnsafeCheckpointError):
        train(cfg)
    cfg = demo_config(data_root, tmp_path, 4)
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(path))
    with pytest.raises(UnsafeCheckpointError):
        train(cfg)
    assert not trace.exists()


def damaged(tmp_path, change):
    """A data set of which one file is changed; returns root and file."""
    root = tmp_path / 'data'
    write_cityscapes(root, train=1, val=1, size=SIZE)
    return root, change(root)


def empty_image(root):
    path = next((root / 'leftImg8bit' / 'train').rglob('*.png'))
    path.write_bytes(b'')
    return path


def small_label(root):
    path = next((root / 'gtFine' / 'train').rglob('*.png'))
    cv2.imwrite(str(path), np.zeros((8, 8), np.uint8))
    return path


def label_out_of_range(root):
    path = next((root / 'gtFine' / 'train').rglob('*.png'))
    label = np.zeros(SIZE, np.uint8)
    label[0, 0], label[0, 1] = 33, 255
    cv2.imwrite(str(path), label)
    return path


@pytest.mark.parametrize('change, message', [
    (empty_image, r'0 bytes\) cannot be decoded'),
    (small_label, r'has shape \(8, 8\), its image .* has \(64, 128\)'),
    (label_out_of_range, r'holds \[33\]; with 19 classes labels are 0 to 18'),
])
def test_damaged_samples_name_their_file(tmp_path, change, message):
    root, path = damaged(tmp_path, change)
    with pytest.raises(ValueError, match=message) as error:
        train(tiny_config(root, tmp_path))
    assert str(path) in str(error.value)


def test_misspelt_argument(data_root, tmp_path):
    cfg = demo_config(data_root, tmp_path, 1)
    cfg.model.teacher.chekpoint = cfg.model.teacher.pop('checkpoint')
    with pytest.raises(TypeError, match='chekpoint'):
        Runner.from_cfg(cfg)
