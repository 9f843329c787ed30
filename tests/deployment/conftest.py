"""A small trained-looking network, as a config file and a checkpoint."""
import numpy as np
import pytest
import torch

from tests import builders

SIZE = (64, 96)

CONFIG = """
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
        size=(64, 96)),
    backbone=dict(
        type='ERFNetEncoder', num_blocks=1, dilations=(2, ),
        dropout_ratios=(0., 0.)),
    decode_head=dict(type='ERFNetHead', num_blocks=1, num_classes=5),
    test_cfg=dict(mode='whole'))
"""
CLASSES = ['road', 'traffic light', 'sky', 'person', 'car']


def write_model(folder, config, seed=0):
    """A config and a checkpoint whose classes all win somewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'small.py').write_text(config)
    from mmengine.config import Config
    torch.manual_seed(seed)
    model = builders.build_model(Config.fromfile(folder / 'small.py'))
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(2, 3, *SIZE))
        model.eval()
        logits = model(torch.randn(2, 3, *SIZE))
        model.decode_head.conv_seg.bias -= logits.mean((0, 2, 3))
    meta = dict(classes=CLASSES, palette=[[i, 2, 3] for i in range(5)])
    torch.save(
        dict(state_dict=model.state_dict(), meta=dict(dataset_meta=meta)),
        folder / 'small.pth')
    return str(folder / 'small.py'), str(folder / 'small.pth')


@pytest.fixture(scope='session')
def small(tmp_path_factory):
    """Paths of a config and a checkpoint of an image network."""
    return write_model(tmp_path_factory.mktemp('small'), CONFIG)


def frame(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
