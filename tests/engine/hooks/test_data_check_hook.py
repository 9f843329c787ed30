"""A training whose labels do not fit is stopped before it begins."""
import re
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
from mmengine.hub import get_config
from mmengine.runner import Runner

from rtseg_plugin.engine.hooks import DataCheckHook, data_check_hook
from rtseg_plugin.utils.host_tools import cause_of
from tests.builders import build_model, write_cityscapes
from tests.engine.demo_run import tiny_config, train


@pytest.fixture
def root(tmp_path):
    write_cityscapes(tmp_path / 'data')
    return tmp_path / 'data'


def relabel(root, change):
    for path in (root / 'gtFine' / 'train').rglob('*.png'):
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), change(label).astype(np.uint8))


def test_masks_of_0_and_255(root, tmp_path):
    relabel(root, lambda label: np.where(label < 9, 0, 255))
    cfg = tiny_config(root, tmp_path / 'one')
    with pytest.raises(ValueError, match='train_dataloader.dataset.*only '
                       r'\[0, 255\].*RelabelPixels'):
        train(cfg)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        pipeline = loader.dataset.pipeline
        loading = [step.type for step in pipeline].index('LoadAnnotations')
        pipeline.insert(loading + 1,
                        dict(type='RelabelPixels', old=255, new=1))
    cfg.work_dir = str(tmp_path / 'two')
    train(cfg)


def test_too_few_classes_in_a_head(root, tmp_path):
    cfg = tiny_config(root, tmp_path / 'one', num_classes=2)
    with pytest.raises(ValueError, match='model.decode_head.num_classes is 2, '
                       'but train_dataloader.dataset has 19 classes'):
        train(cfg)


def test_labels_beyond_the_classes(root, tmp_path):
    """Where the data set does not say which classes it has."""
    cfg = tiny_config(root, tmp_path / 'one', num_classes=2)
    cfg.train_dataloader.dataset.type = 'BaseSegDataset'
    cfg.train_dataloader.dataset.update(
        img_suffix='_leftImg8bit.png',
        seg_map_suffix='_gtFine_labelTrainIds.png')
    with pytest.raises(ValueError, match='label 0 of train_dataloader.dataset '
                       'holds .*num_classes=2 labels are 0 to 1'):
        train(cfg)


def test_an_empty_data_set_is_named(root, tmp_path):
    for path in (root / 'leftImg8bit' / 'train').rglob('*.png'):
        path.unlink()
    with pytest.raises(ValueError) as caught:
        train(tiny_config(root, tmp_path / 'one'))
    cause = cause_of(caught.value)
    assert cause.startswith('train_dataloader.dataset is empty: there is no '
                            'image *_leftImg8bit.png under')
    assert str(root / 'leftImg8bit' / 'train') in cause


HOST = dict(type='CrossEntropyLoss', class_weight=[1.] * 19)


def test_class_weights_and_ignored_labels(root, tmp_path):
    relabel(root, lambda x: np.where(x == x[0, 0], 255, x))
    cfg = tiny_config(root, tmp_path / 'one')
    cfg.model.decode_head.loss_decode = HOST
    with pytest.raises(ValueError, match=(
            r'model.decode_head.loss_decode: .*index 255 .*label 0 of train_'
            'dataloader.dataset.*ClassWeightedCrossEntropyLoss')):
        train(cfg)
    cfg.model.decode_head.loss_decode = dict(
        HOST, type='ClassWeightedCrossEntropyLoss')
    train(cfg)


def test_class_weights_and_padding(root, tmp_path):
    """What cannot be seen in the labels is a warning."""
    cfg = tiny_config(root, tmp_path / 'one')
    cfg.model.decode_head.loss_decode = [HOST]
    runner = Runner.from_cfg(cfg)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    assert len(runner.train_loop.dataloader) > 0  # made when asked for
    with mock.patch.object(runner.logger, 'warning') as warning:
        DataCheckHook().before_run(runner)
    words = ' '.join(str(call) for call in warning.call_args_list)
    assert re.search(r'decode_head.loss_decode\[0\].*filled up', words)


def test_class_weights_of_another_number(root, tmp_path):
    cfg = tiny_config(root, tmp_path / 'one')
    cfg.model.auxiliary_head.loss_decode = dict(HOST, class_weight=[1.] * 11)
    with pytest.raises(ValueError, match=(
            r'model.auxiliary_head.loss_decode.class_weight holds 11 weights,'
            ' but model.auxiliary_head has 19 classes')):
        train(cfg)


def test_a_softmax_over_one_channel(root, tmp_path):
    """MMSegmentation's own advice for two classes."""
    relabel(root, lambda label: label % 2)
    cfg = tiny_config(root, tmp_path / 'one', num_classes=2)
    cfg.model.decode_head.out_channels = 1
    cfg.train_dataloader.dataset.type = 'BaseSegDataset'
    cfg.train_dataloader.dataset.update(
        img_suffix='_leftImg8bit.png',
        seg_map_suffix='_gtFine_labelTrainIds.png')
    with pytest.raises(ValueError, match=(
            'model.decode_head.loss_decode is a softmax over one channel.*'
            'use_sigmoid=True')):
        train(cfg)


def test_boundaries_of_stdc_are_no_classes():
    model = get_config('mmseg::stdc/stdc1_4xb12-80k_cityscapes-512x1024.py')
    heads = DataCheckHook._heads(build_model(model))
    assert list(heads) == ['model.decode_head', 'model.auxiliary_head[0]',
                           'model.auxiliary_head[1]']


def test_an_image_that_is_left_out_has_no_labels():
    dataset = SimpleNamespace(
        get_data_info=lambda index: {},
        pipeline=SimpleNamespace(transforms=[lambda results: None] * 2))
    assert data_check_hook._labels(dataset, 0) is None


def test_a_head_that_ignores_another_label(root, tmp_path):
    """255 is not always no class."""
    relabel(root, lambda x: np.where(x == x[0, 0], 255, x))
    cfg = tiny_config(root, tmp_path / 'one', num_classes=20)
    cfg.model.decode_head.ignore_index = 19
    with pytest.raises(ValueError, match=(
            r'holds \[255\].*labels are 0 to 19, or 19 for no class '
            r'\(model.decode_head.ignore_index\)')):
        train(cfg)
