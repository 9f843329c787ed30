"""Frames get the sizes and pixels that mmcv's Resize gives them."""
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import TRANSFORMS

from rtseg_plugin.apis import network
from rtseg_plugin.apis.resize import INTERPOLATIONS, resize_frame
from tests.deployment.conftest import frame


@pytest.mark.parametrize('step', [
    dict(scale=(96, 64)),
    dict(scale=33),
    dict(scale=(96, 64), keep_ratio=True),
    dict(scale=(64, 96), keep_ratio=True),
    dict(scale=(float('inf'), 50), keep_ratio=True),
    dict(scale_factor=0.75),
    dict(scale_factor=(0.5, 1.25)),
    dict(scale_factor=1.75, keep_ratio=True),
    dict(scale_factor=(0.5, 1.25), keep_ratio=True),
])
def test_sizes(step):
    init_default_scope('mmseg')
    step = dict(step, type='Resize')
    host = TRANSFORMS.build(dict(step))
    resize = network.test_resize(Config(dict(test_pipeline=[step])))
    rng = np.random.default_rng(0)
    for shape in [(64, 96), (63, 65), *rng.integers(20, 200, (20, 2))]:
        image = np.empty((*shape, 3), np.uint8)
        assert resize.size(image) == host(dict(img=image))['img'].shape[:2]


@pytest.mark.parametrize('backend, interpolation', [
    (backend, name) for backend, names in INTERPOLATIONS.items()
    for name in names])
def test_pixels(backend, interpolation):
    init_default_scope('mmseg')
    how = dict(backend=backend, interpolation=interpolation)
    image = frame(0, (40, 60))
    for size in ((21, 33), (50, 90)):
        host = TRANSFORMS.build(dict(type='Resize', scale=size[::-1], **how))
        np.testing.assert_array_equal(
            resize_frame(image, size, **how),
            host(dict(img=image.copy()))['img'])
