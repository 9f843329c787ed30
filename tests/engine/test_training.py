"""Runs of the real runner on files on disk, a few iterations each."""
import copy

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmseg.apis import inference_model, init_model

from rtseg_plugin.utils.safe_load import UnsafeCheckpointError
from tests.builders import load_config, write_cityscapes

SIZE = (64, 128)


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    root = tmp_path_factory.mktemp('cityscapes')
    write_cityscapes(root, size=SIZE)
    return root


def demo_config(data_root, work_dir, iterations, save_every=1000):
    """The demo recipe on tiny files, with a random teacher."""
    cfg = load_config('sctnet/sctnet-s_1xb4-demo_synthetic-street-256x512.py')
    cfg.model.teacher.checkpoint = 'random'
    cfg.model.data_preprocessor.size = SIZE
    cfg.work_dir = str(work_dir)
    for loader in (cfg.train_dataloader, cfg.val_dataloader,
                   cfg.test_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(data_root)
        for transform in loader.dataset.pipeline:
            if 'scale' in transform:
                transform.scale = SIZE[::-1]
            if 'crop_size' in transform:
                transform.crop_size = SIZE
    cfg.train_dataloader.batch_size = 2
    cfg.train_cfg = dict(
        type='IterBasedTrainLoop', max_iters=iterations, val_interval=1000)
    cfg.default_hooks.checkpoint = dict(
        type='CheckpointHook', by_epoch=False, interval=save_every)
    cfg.randomness = dict(seed=5)
    cfg.log_level = 'ERROR'
    cfg.experiment_name = f'{work_dir.name}_{iterations}'
    # one of that name, made by another test, would write elsewhere
    cfg.visualizer.name = cfg.experiment_name
    return cfg


def train(cfg):
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def weights(path):
    return torch.load(path, weights_only=False)['state_dict']


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


def run_test(cfg, checkpoint):
    cfg.load_from = str(checkpoint)
    return Runner.from_cfg(cfg).test()


def test_checkpoint_of_another_network(data_root, tmp_path):
    path = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'backbone.w': torch.zeros(1)}), path)
    cfg = demo_config(data_root, tmp_path, 4)
    with pytest.raises(RuntimeError, match=r'not of this model.*are missing'):
        run_test(cfg, path)


def test_checkpoint_of_another_class_count(four_iterations, data_root,
                                           tmp_path):
    work_dir, _ = four_iterations
    cfg = demo_config(data_root, tmp_path, 4)
    cfg.model.decode_head.num_classes = 11
    cfg.model.auxiliary_head.num_classes = 11
    with pytest.raises(RuntimeError, match='number of classes differs'):
        run_test(cfg, work_dir / 'iter_4.pth')


def test_resume_from_another_class_count(four_iterations, data_root,
                                         tmp_path):
    """Also where the inference network is the same: of the auxiliary head."""
    work_dir, _ = four_iterations
    cfg = demo_config(data_root, tmp_path, 4)
    cfg.model.auxiliary_head.num_classes = 20
    cfg.model.auxiliary_head.ignore_index = 255
    cfg.resume, cfg.load_from = True, str(work_dir / 'iter_4.pth')
    with pytest.raises(RuntimeError, match='number of classes differs'):
        train(cfg)


def test_training_from_a_checkpoint_of_which_nothing_fits(
        four_iterations, data_root, tmp_path):
    work_dir, _ = four_iterations
    own = weights(work_dir / 'iter_4.pth')
    torch.save({f'x.{k}': v for k, v in own.items()}, tmp_path / 'x.pth')
    cfg = demo_config(data_root, tmp_path, 1)
    cfg.load_from = str(tmp_path / 'x.pth')
    with pytest.raises(RuntimeError, match=r'x\.pth.*none of its \d+ tensors'):
        train(cfg)
    # a part of it is a start like any other
    part = {k: v for k, v in own.items() if k.startswith('backbone.stem')}
    torch.save(part, tmp_path / 'part.pth')
    cfg = demo_config(data_root, tmp_path, 1)
    cfg.load_from = str(tmp_path / 'part.pth')
    train(cfg)


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


@pytest.mark.parametrize('legacy', [False, True])
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
        train(demo_config(root, tmp_path, 1))
    assert str(path) in str(error.value)


def test_misspelt_argument(data_root, tmp_path):
    cfg = demo_config(data_root, tmp_path, 1)
    cfg.model.teacher.chekpoint = cfg.model.teacher.pop('checkpoint')
    with pytest.raises(TypeError, match='chekpoint'):
        Runner.from_cfg(cfg)
