"""The augmentation of RTFormer's recipes, on images in memory."""
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from tests.builders import load_config


def training(name, without=('RandomColorJitter', 'RandomFlip')):
    """Training transforms after loading, the named ones left out."""
    init_default_scope('mmseg')
    cfg = load_config(f'_base_/datasets/{name}.py')
    pipeline = cfg.train_dataloader.dataset.pipeline
    assert [t.type for t in pipeline[:2]
            ] == ['LoadImageFromFile', 'LoadAnnotations']
    return Compose([t for t in pipeline[2:-1] if t.type not in without])


def sample(height, width):
    return dict(
        img=np.full((height, width, 3), 10, np.uint8),
        gt_seg_map=np.full((height, width), 3, np.uint8),
        seg_fields=['gt_seg_map'],
        img_shape=(height, width),
        ori_shape=(height, width))


def content(results):
    """Size of what is not padding; it is at the top left."""
    filled = (results['gt_seg_map'] != 255)
    height, width = filled.any(1).sum(), filled.any(0).sum()
    assert filled[:height, :width].all()
    # 127.5, rounded to uint8 by the host; every channel, labels ignored
    assert (results['img'][~filled] == 128).all()
    assert (results['img'][filled] == 10).all()
    return height, width


@pytest.mark.parametrize('name, image, crop', [
    ('cityscapes-rtformer_512x1024', (64, 128), (512, 1024)),
    ('ade20k-rtformer_512x512', (60, 100), (512, 512)),
])
def test_seven_scales_of_each_images_own_size(name, image, crop):
    np.random.seed(0)
    transform = training(name)
    sizes = set()
    for _ in range(40):
        results = transform(sample(*image))
        assert results['img'].shape == (*crop, 3)
        assert results['gt_seg_map'].shape == crop
        sizes.add(content(results))
    assert sizes == {(image[0] * i // 4, image[1] * i // 4)
                     for i in range(2, 9)}


def test_coco_starts_from_a_short_side_of_640():
    np.random.seed(0)
    transform = training('coco-stuff10k-rtformer_640x640')
    # the short side is 320, 480, 640, ...; the long one 8 times that
    short = {content(transform(sample(20, 160)))[0] for _ in range(25)}
    assert short == {320, 480, 640}


def test_camvid_short_side():
    np.random.seed(0)
    transform = training('camvid-trainval-rtformer_720x960')
    heights = [content(transform(sample(72, 96)))[0] for _ in range(20)]
    assert min(heights) < 400
    assert 288 <= min(heights)
    assert max(heights) == 720


def test_crop_has_no_limit_on_one_class_and_jitter_is_last():
    cfg = load_config('_base_/datasets/cityscapes-rtformer_512x1024.py')
    pipeline = cfg.train_dataloader.dataset.pipeline
    assert [t.type for t in pipeline[2:]] == [
        'RandomChoice', 'Pad', 'RandomCrop', 'RandomFlip',
        'RandomColorJitter', 'PackSegInputs'
    ]
    assert 'cat_max_ratio' not in pipeline[4]


@pytest.mark.parametrize('name, image, size', [
    ('ade20k-rtformer_512x512', (300, 401), (512, 704)),
    ('ade20k-rtformer_512x512', (100, 900), (256, 2048)),
    ('coco-stuff10k-rtformer_640x640', (300, 400), (640, 640)),
])
def test_size_at_test_time(name, image, size):
    init_default_scope('mmseg')
    cfg = load_config(f'_base_/datasets/{name}.py')
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        pipeline = loader.dataset.pipeline
        types = [t.type for t in pipeline]
        # truth is loaded after, so it keeps its own size
        resize = pipeline[1:types.index('LoadAnnotations')]
        results = dict(img=np.zeros((*image, 3), np.uint8))
        assert Compose(resize)(results)['img'].shape[:2] == size
