"""Every base of ``configs/_base_/datasets``, on a data set of one image."""
import copy
import shutil

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmseg.registry import DATASETS, MODELS, TRANSFORMS
from PIL import Image

from rtseg_plugin.datasets.transforms import (
    DamagedSampleError,
    LoadAnnotations,
    LoadClip,
    LoadClipAnnotations,
    LoadImageFromFile,
)
from tests.builders import CONFIGS, load_config

from .conftest import write

# mmpretrain's classes; tests/configs/test_pretrain.py has it
NOT_HERE = {
    'imagenet_224x224',
    # two data sets at once, and a test without labels
    'cityscapes-trainval-fanet_1024x1024',
    'cityscapes-trainval-gain_1024x1024'
}
BASES = sorted(p.stem for p in (CONFIGS / '_base_/datasets').glob('*.py')
               if p.stem not in NOT_HERE)
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
# recipes that change a pipeline
CHANGED = sorted(
    p.relative_to(CONFIGS).as_posix() for p in CONFIGS.rglob('*.py')
    if not {'_base_', 'pretrain'} & set(p.parts)
    and 'pipeline' in p.read_text())

CITYSCAPES = dict(
    images='leftImg8bit/{}/town/town_000000_000019_leftImg8bit.png',
    labels='gtFine/{}/town/town_000000_000019_gtFine_labelTrainIds.png',
    splits=('train', 'val'),
    size=(32, 64),
    classes=19)
SEQUENCE = dict(
    CITYSCAPES,
    images='leftImg8bit_sequence/{}/town/town_000000_0000{:02}_leftImg8bit.png',
    frames=range(15, 20))
# by root: paths of a split, image size, classes, whether 0 is no class
LAYOUTS = {
    'data/ade/ADEChallengeData2016':
    dict(
        images='images/{}/ADE_00000001.jpg',
        labels='annotations/{}/ADE_00000001.png',
        splits=('training', 'validation'),
        size=(48, 64),
        classes=150,
        zero_is_void=True),
    'data/camvid/':
    dict(
        images='images/{}/0001TP_006690.png',
        labels='labels/{}/0001TP_006690.png',
        splits=('train', 'val', 'test'),
        lists=dict(trainval=['train/0001TP_006690', 'val/0001TP_006690']),
        size=(48, 64),
        classes=11),
    'data/cityscapes/':
    CITYSCAPES,
    'data/coco_stuff10k':
    dict(
        images='images/{}/COCO_000000000009.jpg',
        labels='annotations/{}/COCO_000000000009_labelTrainIds.png',
        splits=('train2014', 'test2014'),
        size=(48, 64),
        classes=171,
        zero_is_void=True),
    'data/synthetic_street/':
    CITYSCAPES,
    'data/VOCdevkit/VOC2010/':
    dict(
        images='JPEGImages/2008_{}.jpg',
        labels='SegmentationClassContext/2008_{}.png',
        splits=('train', 'val'),
        lists={
            f'ImageSets/SegmentationContext/{split}': [f'2008_{split}']
            for split in ('train', 'val')
        },
        size=(48, 64),
        classes=59,
        zero_is_void=True),
}


def file_values(layout):
    """Labels in a file: the first two classes, the last one, no class."""
    first = int(layout.get('zero_is_void', False))
    last = layout['classes'] - 1 + first
    return [first, first + 1, last, 255 * (1 - first)]


def stripes(values, size, width=4):
    """Columns of one label each, so that any crop holds all of them."""
    row = np.repeat(np.resize(values, size[1] // width), width)
    return np.tile(row.astype(np.uint8), (size[0], 1))


def write_layout(root, layout):
    rng = np.random.default_rng(0)
    label = stripes(file_values(layout), layout['size'])
    for split in layout['splits']:
        for number in layout.get('frames', [19]):
            image = rng.integers(0, 255, (*layout['size'], 3), np.uint8)
            write(root / layout['images'].format(split, number), image)
        write(root / layout['labels'].format(split), label)
    for name, lines in layout.get('lists', {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / f'{name}.txt').write_text('\n'.join(lines))


def layout_of(cfg):
    if 'sequence' in cfg.train_dataloader.dataset.data_prefix.img_path:
        return SEQUENCE
    return LAYOUTS[cfg.data_root]


def dataset_of(cfg, loader, root):
    dataset = copy.deepcopy(cfg[loader].dataset)
    dataset.data_root = str(root)
    return DATASETS.build(dataset)


@pytest.fixture(params=BASES)
def base(request, tmp_path):
    """A base, its layout, and a folder with that."""
    cfg = load_config(f'_base_/datasets/{request.param}.py')
    layout = layout_of(cfg)
    write_layout(tmp_path, layout)
    return cfg, layout, tmp_path


def test_count():
    """A test over bases is worth nothing if it finds none."""
    # as many as there were; a new one comes in by itself
    assert len(BASES) >= 19
    assert any('sctnet-b-seg100' in file for file in CHANGED)
    for name in NOT_HERE:
        assert (CONFIGS / f'_base_/datasets/{name}.py').is_file()


def collate(item, is_clip, crop_size):
    """What the preprocessor of a model makes of a batch of one in training."""
    preprocessor = MODELS.build(
        dict(
            type='VideoSegDataPreProcessor'
            if is_clip else 'SegDataPreProcessor',
            size=tuple(crop_size),
            pad_val=0,
            seg_pad_val=255))
    return preprocessor(
        dict(inputs=[item['inputs']], data_samples=[item['data_samples']]),
        training=True)


def check_types(item, shape):
    inputs, label = item['inputs'], item['data_samples'].gt_sem_seg.data
    assert inputs.dtype == torch.uint8
    assert label.dtype == torch.int64
    # (3, H, W), of a clip (T, 3, H, W)
    assert inputs.shape[:-2] == shape
    return inputs, label


def test_training(base):
    """Labels of all classes arrive, in an image of the size of the crop."""
    cfg, layout, root = base
    np.random.seed(0)
    torch.manual_seed(0)
    dataset = dataset_of(cfg, LOADERS[0], root)
    assert len(dataset.metainfo['classes']) == layout['classes']
    # CamVid has a list of two splits
    lists = layout.get('lists', {})
    listed = cfg.train_dataloader.dataset.get('ann_file', '')[:-len('.txt')]
    assert len(dataset) == len(lists.get(listed, ['one']))
    frames = cfg.get('clip_length')
    shape = (frames, 3) if frames else (3, )
    last = layout['classes'] - 1
    # of no class; LMANet has an index for that
    void = cfg.relabel.new if 'relabel' in cfg.get('train_steps', {}) else 255
    thin = cfg.get('train_steps', {}).get('thin', {}).get('stride', 1)
    for item in (dataset[0] for _ in range(3)):
        inputs, label = check_types(item, shape)
        assert inputs[..., ::thin, ::thin].shape[-2:] == label.shape[-2:]
        assert set(label.unique().tolist()) == {0, 1, last, void}
        assert inputs.shape[-2] <= cfg.crop_size[0]
        assert inputs.shape[-1] <= cfg.crop_size[1]
        batch = collate(item, bool(frames), cfg.crop_size)
        assert batch['inputs'].shape == (1, *shape, *cfg.crop_size)
        label = batch['data_samples'][0].gt_sem_seg.data
        assert label.shape == (1, *(side // thin for side in cfg.crop_size))


@pytest.mark.parametrize('loader', LOADERS[1:])
def test_test_time(base, loader):
    """The truth is the file's, at its size, whatever becomes of the image."""
    cfg, layout, root = base
    dataset = dataset_of(cfg, loader, root)
    assert len(dataset) == 1
    item = dataset[0]
    shape = (3, )
    if 'clip_length' in cfg:
        # a clip, or all that there are
        shape = (dataset.clip_length or len(layout['frames']), 3)
    inputs, label = check_types(item, shape)
    last = layout['classes'] - 1
    assert (label[0].numpy() == stripes([0, 1, last, 255],
                                        layout['size'])).all()
    assert item['data_samples'].img_shape == tuple(inputs.shape[-2:])
    assert item['data_samples'].ori_shape == layout['size']


def test_flips_and_scales(base):
    """Of a test over several versions of an image."""
    cfg, layout, root = base
    if 'tta_pipeline' not in cfg:
        assert 'snippet_pipeline' in cfg  # tested on all frames of a video
        return
    ratios = (0.5, 1.25)  # not all, for time
    cfg.tta_pipeline[-1].ratios = ratios
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    item = dataset_of(cfg, 'test_dataloader', root)[0]
    tested = dataset_of(cfg, 'val_dataloader', root)[0]['inputs'].shape
    assert [list(version.shape[-2:]) for version in item['inputs']] == [
        [int(side * ratio + 0.5) for side in tested[-2:]]
        for ratio in ratios for _ in ('as it is', 'flipped')
    ]
    for plain, flipped in zip(item['inputs'][::2], item['inputs'][1::2]):
        assert torch.equal(plain.flip(-1), flipped)
    assert [sample.flip for sample in item['data_samples']] == [
        False, True] * 2
    last = layout['classes'] - 1
    truth = stripes([0, 1, last, 255], layout['size'])
    for sample in item['data_samples']:
        assert (sample.gt_sem_seg.data[0].numpy() == truth).all()


@pytest.mark.parametrize('name', [
    'cityscapes-fanet_1024x1024', 'cityscapes-trainval-fanet_1024x1024',
    'camvid-fanet_720x960', 'coco-stuff10k-fanet_640x640',
    'cityscapes-sequence-fanet_1024x1024'
])
def test_fanet_crops_anywhere(name):
    """Its article has plain random crops; the host's shun those of one class.
    """
    cfg = load_config(f'_base_/datasets/{name}.py')
    dataset = cfg.train_dataloader.dataset
    pipeline = dataset.get('datasets', [dataset])[0].pipeline
    pipeline = next(
        (t.transforms for t in pipeline if t.type == 'ApplyToClip'), pipeline)
    crop, = (t for t in pipeline if t.type == 'RandomCrop')
    assert TRANSFORMS.build(crop).cat_max_ratio == 1


@pytest.mark.parametrize('network', ['fanet', 'gain'])
def test_server(network, tmp_path):
    """Two splits to train, and a test of images alone."""
    cfg = load_config(
        f'_base_/datasets/cityscapes-trainval-{network}_1024x1024.py')
    write_layout(tmp_path, CITYSCAPES)
    shutil.rmtree(tmp_path / 'gtFine/val')
    images = tmp_path / 'leftImg8bit'
    (images / 'val').rename(images / 'test')
    item = dataset_of(cfg, 'test_dataloader', tmp_path)[0]
    assert 'gt_sem_seg' not in item['data_samples']
    write_layout(tmp_path, CITYSCAPES)
    dataset = copy.deepcopy(cfg.train_dataloader.dataset)
    for part in dataset.datasets:
        part.data_root = str(tmp_path)
    dataset = DATASETS.build(dataset)
    splits = [dataset[i]['data_samples'].img_path.split('leftImg8bit/')[1]
              for i in range(2)]
    assert [split.split('/')[0] for split in splits] == ['train', 'val']
    assert cfg.test_evaluator.type == 'CityscapesMetric'


@pytest.mark.parametrize('recipe', [
    'fanet/fanet-18_2xb8-80k_cityscapes-trainval-1024x1024.py',
    'gain/gain-r18_2xb8-80k_cityscapes-trainval-1024x1024.py'])
def test_files_for_the_server(recipe, tmp_path):
    """A test of the recipe writes an image of label ids per test image."""
    labels = pytest.importorskip('cityscapesscripts.helpers.labels')
    write_layout(tmp_path, CITYSCAPES)
    images = tmp_path / 'leftImg8bit'
    (images / 'val').rename(images / 'test')
    cfg = load_config(recipe)
    cfg.model.backbone.init_cfg = None
    cfg.work_dir = str(tmp_path / 'work')
    cfg.visualizer.name = cfg.experiment_name = 'server'
    data = cfg.test_dataloader
    data.update(num_workers=0, persistent_workers=False)
    data.dataset.data_root = str(tmp_path)
    data.dataset.pipeline[1].scale = (256, 128)
    cfg.test_evaluator.output_dir = str(tmp_path / 'results')
    # what only trains
    for key in ('train_dataloader', 'train_cfg', 'optim_wrapper',
                'param_scheduler', 'val_dataloader', 'val_cfg',
                'val_evaluator'):
        cfg.pop(key)
    try:
        Runner.from_cfg(cfg).test()
    finally:
        DefaultScope._instance_dict.clear()
    written, = (tmp_path / 'results').iterdir()
    assert written.name == 'town_000000_000019_leftImg8bit.png'
    # the indices of an image with a palette, as the server reads it
    found = np.asarray(Image.open(written))
    assert found.shape == CITYSCAPES['size']
    assert set(np.unique(found)) <= {
        label.id for label in labels.labels if label.trainId not in (-1, 255)}


@pytest.mark.parametrize('loader', LOADERS)
def test_bad_files_are_named(base, loader):
    cfg, layout, root = base
    dataset = dataset_of(cfg, loader, root)
    info = dataset.get_data_info(0)
    first = int(layout.get('zero_is_void', False))
    wrong = stripes([layout['classes'] + first], layout['size'])
    for bad, message in (
        (wrong, rf'holds \[{layout["classes"]}\]'),
        (stripes([1], (16, 16)), r'has shape \(16, 16\)'),
    ):
        write(root / info['seg_map_path'], bad)
        with pytest.raises(DamagedSampleError, match=message) as error:
            dataset[0]
        assert info['seg_map_path'] in str(error.value)
    open(info['img_path'], 'wb').close()
    with pytest.raises(DamagedSampleError, match='0 bytes') as error:
        dataset[0]
    assert info['img_path'] in str(error.value)


@pytest.mark.parametrize('file', CHANGED)
def test_recipes_keep_the_loaders(file):
    """That a recipe with a pipeline of its own loads as its base does."""
    cfg = load_config(file)
    for loader in LOADERS:
        dataset = cfg[loader].dataset
        while 'dataset' in dataset:
            dataset = dataset.dataset
        if dataset.type.startswith('PascalContext'):
            continue  # wants its files; its base is tested above
        dataset = DATASETS.build(dict(dataset, lazy_init=True))
        first, *rest = dataset.pipeline.transforms
        labels = [t for t in rest if 'Annotations' in type(t).__name__]
        is_clip = isinstance(first, LoadClip)
        assert type(first) in (LoadClip, LoadImageFromFile)
        assert [type(label) for label in labels] == [
            LoadClipAnnotations if is_clip else LoadAnnotations
        ]
        assert labels[0].num_classes == len(dataset.metainfo['classes'])
