"""Labels without resized logits are those of the resized logits."""
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rtseg_plugin.models.layers import label_map as on_tensors
from rtseg_plugin.models.layers.label_map import _by_groups
from rtseg_plugin.utils import label_map as module
from rtseg_plugin.utils.label_map import label_map

SIZES = [
    ((8, 16), (64, 128)),  # a whole factor
    ((9, 13), (70, 31)),  # none
    ((9, 13), (9, 50)),  # one side stays
    ((1, 5), (7, 20)),
    ((4, 1), (5, 8)),
    ((1, 1), (3, 4)),
    ((9, 13), (4, 5)),  # smaller
    ((6, 7), (6, 7)),
]


def smooth(classes, size, seed=0):
    """Logits of regions, as trained networks give them."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(2, classes, 4, 5, generator=generator)
    return 5 * F.interpolate(coarse, size=size, mode='bicubic')


def random(classes, size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, classes, *size, generator=generator)


def resized(logits, size, align_corners):
    return F.interpolate(
        logits, size=size, mode='bilinear', align_corners=align_corners)


def assert_same(got, logits, size, align_corners):
    """Equal but where the two largest values differ by rounding."""
    want = resized(logits, size, align_corners).argmax(1).numpy()
    assert got.shape == want.shape
    differs = np.nonzero(got != want)
    if len(differs[0]):
        top = resized(logits.double(), size, align_corners).topk(2, 1)[0]
        gap = (top[:, 0] - top[:, 1]).numpy()[differs]
        assert gap.max() < 4 * np.finfo(np.float32).eps * logits.abs().max()
        assert len(gap) < 1e-3 * want.size


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('small,size', SIZES)
@pytest.mark.parametrize('make', [smooth, random])
def test_equals_argmax_of_resized(make, small, size, align_corners):
    logits = make(19, small)
    got = label_map(logits.numpy(), size, align_corners)
    assert got.dtype == np.uint8
    assert_same(got, logits, size, align_corners)
    again = on_tensors(
        logits.to(memory_format=torch.channels_last), size, align_corners)
    np.testing.assert_array_equal(again.numpy(), got)
    assert_same(
        _by_groups(logits, size, align_corners, 0.5).numpy(), logits, size,
        align_corners)


def test_a_class_that_leads_in_no_sample_can_win_between():
    logits = torch.tensor([[10., 0.], [6., 6.], [0., 10.]]).view(1, 3, 1, 2)
    assert label_map(logits.numpy(), (1, 12))[0, 0].tolist() == [
        0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2]


@pytest.mark.parametrize('align_corners,size', [(False, (64, 96)),
                                                (True, (57, 89))])
def test_ties_go_to_the_lowest_class_bit_for_bit(align_corners, size):
    """Whole numbers and weights in eighths leave nothing to rounding."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randint(0, 3, (2, 6, 8, 12), generator=generator).float()
    values = resized(logits, size, align_corners)
    ties = (values == values.amax(1, keepdim=True)).sum(1) > 1
    assert ties.float().mean() > 0.05
    got = label_map(logits.numpy(), size, align_corners)
    np.testing.assert_array_equal(got, values.argmax(1).numpy())
    np.testing.assert_array_equal(
        _by_groups(logits, size, align_corners, 0.5).numpy(), got)


def test_blocks_do_not_show(monkeypatch):
    logits = random(7, (9, 13)).numpy()
    want = label_map(logits, (70, 31))
    monkeypatch.setattr(module, '_BLOCK', 50)
    np.testing.assert_array_equal(label_map(logits, (70, 31)), want)
    np.testing.assert_array_equal(
        label_map(logits, (9, 13)), logits.argmax(1))


def test_the_upper_left_part():
    logits = random(7, (9, 13)).numpy()
    for size in ((70, 31), (9, 13)):
        want = label_map(logits, size)[:, :8, :11]
        np.testing.assert_array_equal(
            label_map(logits, size, crop=(8, 11)), want)
        np.testing.assert_array_equal(
            on_tensors(torch.from_numpy(logits), size, crop=(8, 11)), want)


@pytest.mark.parametrize('threshold', [0.3, 0.5])
def test_one_map_against_a_threshold(threshold):
    logits = smooth(1, (9, 13))
    want = resized(logits, (70, 31), False)[:, 0].double().sigmoid()
    clear = ((want - threshold).abs() > 1e-6).numpy()
    assert clear.mean() > 0.99
    for got in (label_map(logits.numpy(), (70, 31), threshold=threshold),
                _by_groups(logits, (70, 31), False, threshold).numpy()):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(
            got[clear], (want > threshold).numpy()[clear])


@pytest.mark.parametrize('classes,dtype', [(256, np.uint8), (300, np.int64)])
def test_many_classes(classes, dtype):
    logits = random(classes, (4, 5))
    got = label_map(logits.numpy(), (30, 41))
    assert got.dtype == dtype
    assert got.max() > 250
    assert_same(got, logits, (30, 41), False)
    groups = _by_groups(logits, (30, 41), False, 0.5)
    np.testing.assert_array_equal(groups.numpy(), got)
    assert groups.numpy().dtype == dtype


def test_half_precision_is_widened_first():
    logits = random(7, (9, 13)).half()
    np.testing.assert_array_equal(
        on_tensors(logits, (70, 31)),
        label_map(logits.float().numpy(), (70, 31)))


def test_bad_arguments():
    for bad in (np.zeros((3, 4, 5)), np.zeros((1, 0, 4, 5))):
        with pytest.raises(ValueError, match='N, C, h, w'):
            label_map(bad, (8, 8))
    with pytest.raises(ValueError, match='cannot be cut'):
        label_map(np.zeros((1, 2, 4, 5)), (8, 8), crop=(9, 8))


def test_needs_numpy_alone():
    path = module.__file__
    code = (f'import runpy, sys; runpy.run_path({path!r}); '
            'assert not {"torch", "cv2", "mmengine"} & set(sys.modules)')
    subprocess.run([sys.executable, '-c', code], check=True)


@pytest.mark.parametrize('size', [(128, 256), (135, 241)])
def test_of_a_trained_network(size):
    """Weights that the package brings, on something like a street."""
    from rtseg_plugin.apis import Segmentor
    network = Segmentor('sctnet-s-street', device='cpu').network
    rng = np.random.default_rng(0)
    frame = np.full((*size, 3), 90, np.uint8)
    frame[:size[0] // 2] = (230, 180, 120)
    frame[40:90, 30:70] = (40, 60, 150)
    frame += rng.integers(0, 20, frame.shape, np.uint8)
    batch = network.prepare([frame])
    with torch.no_grad():
        logits, _ = network.logits(batch)
    assert logits.shape[2] < size[0]
    got = network.step(frame)[0]
    assert len(np.unique(got)) > 2
    assert_same(got[None], logits, tuple(batch.shape[2:]), False)
