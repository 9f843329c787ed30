import numpy as np
import pytest
from mmseg.registry import TRANSFORMS
from PIL import Image, ImageEnhance

import rtseg_plugin  # noqa: F401


def _image():
    rng = np.random.default_rng(0)
    img = rng.integers(0, 256, (24, 40, 3))
    ramp = np.linspace(0, 255, 40)[None, :, None]
    return ((img + 3 * ramp) / 4).astype(np.uint8)


def _jitter(**kwargs):
    only = dict(brightness=None, contrast=None, saturation=None, hue=None)
    only.update(kwargs)
    transform = TRANSFORMS.build(
        dict(type='RandomColorJitter', prob=1., **only))
    return transform(dict(img=_image()))['img'].astype(int)


def _pil():
    return Image.fromarray(np.ascontiguousarray(_image()[..., ::-1]))


@pytest.mark.parametrize('name, enhancer', [
    ('brightness', ImageEnhance.Brightness),
    ('contrast', ImageEnhance.Contrast), ('saturation', ImageEnhance.Color)
])
@pytest.mark.parametrize('factor', [0.6, 1.4])
def test_factors_are_those_of_pil(name, enhancer, factor):
    want = np.asarray(enhancer(_pil()).enhance(factor))[..., ::-1]
    got = _jitter(**{name: (factor, factor)})
    # both round to 8 bit, at different places
    assert np.abs(got - want.astype(int)).max() <= 2


@pytest.mark.parametrize('shift', [-18, 18])
def test_hue_is_that_of_pil(shift):
    hsv = np.array(_pil().convert('HSV'))
    hsv[..., 0] = (hsv[..., 0].astype(int) + shift) % 256
    want = np.asarray(Image.fromarray(hsv, 'HSV').convert('RGB'))[..., ::-1]
    got = _jitter(hue=(shift / 255, shift / 255))
    # hue has 256 levels on both sides: up to 255 * 6 / 256 of a value each
    assert np.abs(got - want.astype(int)).max() <= 10
    error = np.abs(got - want.astype(int)).mean()
    assert np.abs(got - _image().astype(int)).mean() > 3 * error


def test_defaults_are_those_of_the_official_recipe():
    transform = TRANSFORMS.build(dict(type='RandomColorJitter'))
    np.random.seed(0)
    plans = [transform._draw() for _ in range(4000)]
    for name, low, high in (('brightness', .6, 1.4), ('contrast', .6, 1.4),
                            ('saturation', .6, 1.4),
                            ('hue', -18 / 255, 18 / 255)):
        values = [dict(plan)[name] for plan in plans if name in dict(plan)]
        # five standard deviations of 4000 draws
        assert abs(len(values) / 4000 - 0.5) < 0.04
        assert low <= min(values) < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < max(values) <= high
    firsts = [plan[0][0] for plan in plans if len(plan) == 4]
    assert {'brightness', 'contrast', 'saturation', 'hue'} == set(firsts)


def test_probability_by_name_and_fixed_order():
    transform = TRANSFORMS.build(
        dict(type='RandomColorJitter', prob=dict(hue=0.),
             random_order=False))
    np.random.seed(0)
    assert all([name for name, _ in transform._draw()] ==
               ['brightness', 'contrast', 'saturation'] for _ in range(20))


def test_input_is_left_alone():
    results = dict(img=_image())
    source = results['img']
    TRANSFORMS.build(dict(type='RandomColorJitter', prob=1.))(results)
    np.testing.assert_array_equal(source, _image())


@pytest.mark.parametrize('bad', [
    dict(brightness=(1.4, 0.6)),
    dict(contrast=(-0.1, 1)),
    dict(hue=(0, 18)),
    dict(prob=2.),
    dict(prob=dict(huge=0.5))
])
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        TRANSFORMS.build(dict(type='RandomColorJitter', **bad))


def test_bad_image():
    with pytest.raises(TypeError, match='uint8'):
        TRANSFORMS.build(dict(type='RandomColorJitter'))(
            dict(img=_image().astype(np.float32)))
