"""Scale, pad and blur as GAIN's training has them."""
import numpy as np
import pytest
from mmseg.registry import TRANSFORMS

from tests.builders import load_config


def sample(h=20, w=30):
    rng = np.random.default_rng(0)
    return dict(
        img=rng.integers(1, 255, (h, w, 3), dtype=np.uint8),
        gt_seg_map=rng.integers(0, 19, (h, w), dtype=np.uint8),
        seg_fields=['gt_seg_map'],
        img_shape=(h, w))


@pytest.mark.parametrize('ratio, size', [(0.5, (10, 15)), (2., (40, 60)),
                                         (1.33, (27, 40))])
def test_scale_is_of_the_images_own_size(ratio, size):
    scale = TRANSFORMS.build(
        dict(type='RandomScale', ratio_range=(ratio, ratio)))
    out = scale(sample())
    assert out['img'].shape == (*size, 3)
    assert out['gt_seg_map'].shape == size
    assert out['img_shape'] == size
    assert set(np.unique(out['gt_seg_map'])) <= set(range(19))


def test_scale_draws_from_the_range_and_interpolates_bicubically():
    scale = TRANSFORMS.build(dict(type='RandomScale'))
    np.random.seed(0)
    heights = {scale(sample())['img'].shape[0] for _ in range(60)}
    assert min(heights) < 15
    assert max(heights) > 35
    assert heights <= set(range(10, 41))
    # a step overshoots under bicubic interpolation and no other
    step = sample()
    step['img'][:] = np.where(np.arange(30)[None, :, None] < 15, 50, 200)
    out = TRANSFORMS.build(dict(type='RandomScale', ratio_range=(2, 2)))(step)
    assert out['img'].max() > 200
    assert out['img'].min() < 50


@pytest.mark.parametrize('size, want', [
    ((24, 30), (28, 30)),  # 4 rows lack: 4 above and 4 below
    ((20, 33), (20, 36)),
    ((21, 31), (22, 32)),
    ((16, 16), (20, 30)),
])
def test_pad_adds_what_lacks_on_both_sides(size, want):
    before = sample()
    pad = TRANSFORMS.build(dict(type='PadBothSides', size=size))
    out = pad(dict(before))
    assert out['img'].shape == (*want, 3)
    assert out['gt_seg_map'].shape == out['img_shape'] == want
    top, left = (want[0] - 20) // 2, (want[1] - 30) // 2
    inside = np.s_[top:top + 20, left:left + 30]
    np.testing.assert_array_equal(out['img'][inside], before['img'])
    np.testing.assert_array_equal(out['gt_seg_map'][inside],
                                  before['gt_seg_map'])
    outside = np.ones(want, bool)
    outside[inside] = False
    assert (out['img'][outside] == 0).all()
    assert (out['gt_seg_map'][outside] == 255).all()


@pytest.mark.parametrize('sigma', [0.8, 1.3])
def test_blur_has_the_width_of_its_sigma(sigma):
    """The variance of a blurred point is sigma squared."""
    results = dict(img=np.zeros((31, 31, 3), np.float32))
    results['img'][15, 15] = 1
    blur = TRANSFORMS.build(
        dict(type='RandomGaussianBlur', sigma=(sigma, sigma)))
    out = blur(results)['img'][..., 0].astype(float)
    x = np.arange(31) - 15
    # OpenCV cuts the kernel off at four sigma and samples it: a few percent
    assert (out.sum(0) * x**2).sum() == pytest.approx(sigma**2, rel=0.05)
    assert out.sum() == pytest.approx(1)


def test_blur_is_always_on_and_varies():
    blur = TRANSFORMS.build(dict(type='RandomGaussianBlur'))
    np.random.seed(0)
    img = sample()['img']
    outs = [blur(dict(img=img))['img'].astype(int) for _ in range(20)]
    change = [np.abs(out - img).mean() for out in outs]
    assert len(set(change)) > 10
    assert max(change) > 20
    assert (blur.sigma, blur.prob) == ((0.15, 1.3), 1.)
    never = TRANSFORMS.build(dict(type='RandomGaussianBlur', prob=0.))
    assert never(dict(img=img))['img'] is img


@pytest.mark.parametrize('config, match', [
    (dict(type='RandomScale', ratio_range=(2, 1)), 'rising'),
    (dict(type='PadBothSides', size=(0, 8)), 'height and a width'),
    (dict(type='RandomGaussianBlur', sigma=(0, 1)), 'positive'),
    (dict(type='RandomGaussianBlur', prob=2), 'prob'),
])
def test_bad_arguments_say_what_would_be_right(config, match):
    with pytest.raises(ValueError, match=match):
        TRANSFORMS.build(config)


@pytest.mark.parametrize('base, crop', [
    ('cityscapes-gain_1024x1024', (1024, 1024)),
    ('camvid-trainval-gain_720x960', (720, 960)),
    ('ade20k-gain_512x512', (512, 512)),
])
@pytest.mark.parametrize('size', [(300, 400), (1100, 1300)])
def test_a_recipes_pipeline_fills_its_crop(base, crop, size):
    """Small images too: padding is part of the pipeline, not of the batch."""
    steps = load_config(
        f'_base_/datasets/{base}.py').train_dataloader.dataset.pipeline
    assert [step.type for step in steps[2:]] == [
        'RandomScale', 'PadBothSides', 'RandomCrop', 'RandomFlip',
        'RandomColorJitter', 'RandomGaussianBlur', 'PackSegInputs'
    ]
    np.random.seed(0)
    results = sample(*size)
    for step in steps[2:]:
        results = TRANSFORMS.build(step)(results)
    assert results['inputs'].shape == (3, *crop)
    assert results['data_samples'].gt_sem_seg.data.shape == (1, *crop)
