import numpy as np
import pytest

from rtseg_plugin.datasets import SubsampleLabels


def test_keeps_every_second_row_and_column_of_any_phase():
    label = np.arange(4 * 6, dtype=np.uint8).reshape(4, 6)
    np.random.seed(0)
    seen = set()
    for _ in range(40):
        thin = SubsampleLabels(2)(dict(gt_seg_map=label))['gt_seg_map']
        assert thin.shape == (2, 3)
        assert thin.dtype == label.dtype
        top, left = divmod(int(thin[0, 0]), 6)
        np.testing.assert_array_equal(thin, label[top::2, left::2])
        seen.add((top, left))
    assert seen == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_clip_has_one_phase():
    label = np.arange(64, dtype=np.uint8).reshape(8, 8)
    np.random.seed(1)
    none, *maps = SubsampleLabels(4)(dict(
        gt_seg_map=[None, label, label]))['gt_seg_map']
    assert none is None
    np.testing.assert_array_equal(*maps)


def test_refuses_a_stride_of_zero():
    with pytest.raises(ValueError, match='stride must be at least 1, got 0'):
        SubsampleLabels(0)
