"""LMANet's protocol: the recipes that score at the size of the network."""
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image

from tests.builders import CONFIGS, load_config

from .conftest import frame, write

SHAPES = {
    'erfnet-worksize_2xb6-150e_cityscapes-512x1024': (3, 512, 1024),
    'lmanet-erfnet-s4-r21-worksize_2xb5-50e_cityscapes-512x1024':
    (5, 3, 512, 1024),
    'lmanet-psp101-s3-r21-worksize_6xb1-50e_cityscapes-1025x2049':
    (4, 3, 1025, 2049),
    'pspnet-101-worksize_4xb4-200e_cityscapes-713x713': (3, 1025, 2049),
}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """One image, which is the last frame of a clip too, and its label."""
    root = tmp_path_factory.mktemp('cityscapes')
    stem = 'val/town/town_000000_0000'
    for number in range(15, 20):
        write(root / f'leftImg8bit_sequence/{stem}{number}_leftImg8bit.png',
              frame(number))
    write(root / f'leftImg8bit/{stem}19_leftImg8bit.png', frame(19))
    truth = np.random.default_rng(0).integers(0, 4, (32, 64)).astype(np.uint8)
    truth[truth == 3] = 255
    write(root / f'gtFine/{stem}19_gtFine_labelTrainIds.png', truth)
    return root


def mean_iou(pred, truth):
    valid = truth != 255
    ious = []
    for label in range(3):
        one, other = (pred == label) & valid, (truth == label) & valid
        ious.append((one & other).sum() / (one | other).sum())
    return 100 * np.mean(ious)


def test_all_are_here():
    assert set(SHAPES) == {
        path.stem for path in (CONFIGS / 'lmanet/worksize').glob('*.py')
    }


@pytest.mark.parametrize('name', SHAPES)
def test_scores_at_the_size_of_the_network(root, tmp_path, name):
    """A prediction whose error is gone at the size of the file."""
    size = SHAPES[name][-2:]
    cfg = load_config(f'lmanet/worksize/{name}.py')
    cfg.work_dir = str(tmp_path)
    cfg.load_from = None
    cfg.log_level = 'ERROR'
    cfg.experiment_name = tmp_path.name
    cfg.test_dataloader.dataset.data_root = str(root)
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    runner = Runner.from_cfg(cfg)
    [path] = root.glob('gtFine/val/town/*.png')
    truth = np.array(Image.open(path).resize(size[::-1], Image.NEAREST))
    pred = np.where(truth == 255, 0, truth)
    pred[97:100] = (pred[97:100] + 1) % 3
    logits = torch.zeros(1, 20, *size)
    logits.scatter_(1, torch.from_numpy(pred).long()[None, None], 1.)
    shapes = []

    def inference(inputs, metas):
        shapes.append(tuple(inputs.shape))
        return logits

    runner.model.inference = inference
    metrics = runner.test()
    assert shapes == [(1, *SHAPES[name])]
    expected = mean_iou(pred, truth)
    assert 50 < expected < 99.9
    assert metrics['work/mIoU'] == pytest.approx(expected, abs=0.006)
