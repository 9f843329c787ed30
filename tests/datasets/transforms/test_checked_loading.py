"""Masks that would train in silence, or stop far from their cause."""
import numpy as np
import pytest
from PIL import Image

from rtseg_plugin.datasets.transforms import (
    DamagedSampleError,
    LoadAnnotations,
    checked_loading,
)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads masks one after the other; gives what was logged."""
    said = []
    monkeypatch.setattr(checked_loading, 'print_log',
                        lambda text, *args: said.append(text))

    def run(transform, masks):
        path = str(tmp_path / 'mask.png')
        for mask in masks:
            Image.fromarray(mask).save(path)
            transform(dict(
                seg_map_path=path, img_path='x.jpg', reduce_zero_label=False,
                ori_shape=mask.shape[:2], seg_fields=[]))
        return said

    return run


def mask(*values):
    return np.array(values, np.uint8)[np.arange(16).reshape(4, 4)
                                      % len(values)]


def test_masks_of_0_and_255_are_noticed_once(load):
    said = load(LoadAnnotations(num_classes=2), [mask(0, 255)] * 7)
    assert said == []
    said = load(LoadAnnotations(num_classes=2), [mask(0, 255)] * 30)
    assert len(said) == 1
    assert '--classes background=0 object=255' in said[0]


@pytest.mark.parametrize('classes, masks', [
    (2, [mask(0, 255), mask(1, 0)] + [mask(0, 255)] * 30),
    (2, [mask(0)] * 30),
    (1, [mask(0, 255)] * 30),
    (None, [mask(0, 255)] * 30),
])
def test_other_masks_are_not(load, classes, masks):
    assert load(LoadAnnotations(num_classes=classes), masks) == []


def test_colours_are_told_from_a_wrong_size(load):
    colours = np.dstack([mask(0, 7), mask(1, 2), mask(3, 4)])
    with pytest.raises(DamagedSampleError, match='check_dataset .* NAME=R'):
        load(LoadAnnotations(num_classes=8), [colours])


def test_a_value_out_of_range_says_what_lists_them(load):
    with pytest.raises(DamagedSampleError, match=r'\[5\].*check_dataset'):
        load(LoadAnnotations(num_classes=5), [mask(0, 5)])
