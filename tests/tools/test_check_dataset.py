"""Own images: what check_dataset finds, writes and makes trainable."""
import re
import shutil

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

from tests.builders import run_tool

COLOURS = np.array([[128, 64, 128], [0, 0, 142], [70, 130, 180]], np.uint8)
NAMED = ('road=128,64,128', 'my car=0,0,142', 'sky=70,130,180')


def blocks(seed, values=3, size=(4, 8)):
    """Labels (128, 256) of blocks, every value in each of them."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, values, size)
    label[0, :values] = range(values)
    return np.kron(label, np.ones((32, 32), int)).astype(np.uint8)


def write(root, number=6, masks=lambda i: blocks(i), folder='', start=0):
    """Images f0.jpg... and masks f0_mask.png... below ``root``."""
    for i in range(start, start + number):
        for kind in ('images', 'masks'):
            (root / kind / folder).mkdir(parents=True, exist_ok=True)
        mask = masks(i)
        rng = np.random.default_rng(i)
        image = rng.integers(0, 255, (*mask.shape[:2], 3), np.uint8)
        Image.fromarray(image).save(root / 'images' / folder / f'f{i}.jpg')
        Image.fromarray(mask).save(root / 'masks' / folder / f'f{i}_mask.png')
    return root / 'images', root / 'masks'


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Run the tool on a folder; its words as one line."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        result = run_tool('dataset_converters/check_dataset.py', *args)
        result.text = ' '.join((result.stdout + result.stderr).split())
        return result

    return run


def test_index_masks_without_fault(tmp_path, check):
    result = check(*write(tmp_path))
    assert result.returncode == 0, result.text
    assert 'train: 5 images, val: 1 images' in result.text
    assert 'no errors' in result.text
    with Image.open(tmp_path / 'contact_sheet.jpg') as sheet:
        assert np.asarray(sheet).std() > 10


def test_colours_are_counted_named_and_converted(tmp_path, check):
    folders = write(tmp_path, masks=lambda i: COLOURS[blocks(i)])
    result = check(*folders)
    assert result.returncode == 1
    assert ('--classes class0=0,0,142 class1=70,130,180 class2=128,64,128'
            in result.text)
    table = {line.split()[1] for line in result.stdout.splitlines()
             if re.match('. [0-9]+,', line)}
    assert table == {'128,64,128', '0,0,142', '70,130,180'}

    result = check(*folders, '--classes', *NAMED, '--out', 'out')
    assert result.returncode == 0, result.text
    for split, number in dict(train=5, val=1).items():
        labels = sorted((tmp_path / 'out/labels' / split).iterdir())
        images = sorted((tmp_path / 'out/images' / split).iterdir())
        assert len(labels) == number
        assert [p.stem for p in labels] == [p.stem for p in images]
        for path in labels:
            want = blocks(int(path.stem[1:]))
            got = np.asarray(Image.open(path))
            assert got.dtype == np.uint8
            np.testing.assert_array_equal(got, want)
    config = Config.fromfile(tmp_path / 'out/config.py')
    meta = config.train_dataloader.dataset.metainfo
    assert meta.classes == ['road', 'my car', 'sky']
    assert meta.palette == COLOURS.tolist()


def uneven(i):
    """Classes of 76, 23 and 0.1 %, and pixels of none."""
    label = np.zeros((128, 256), np.uint8)
    label[:80, :96] = 1
    label[0, :30] = 2
    label[100:] = 255
    return label


def train(tmp_path):
    """Two iterations and a validation with out/config.py."""
    config = Config.fromfile(tmp_path / 'out/config.py')
    config.work_dir = str(tmp_path / 'work')
    config.visualizer.name = 'check_dataset'
    config.experiment_name = 'check_dataset'
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader].update(num_workers=0, persistent_workers=False)
    config.train_dataloader.batch_size = 2
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 2
    assert (tmp_path / 'work/iter_2.pth').is_file()
    scores = runner.message_hub.log_scalars['val/mIoU'].data[0]
    assert np.isfinite(scores).all()
    return runner


def test_the_ready_config_trains_as_it_is(tmp_path, check):
    folders = write(tmp_path, masks=lambda i: COLOURS[blocks(i)])
    result = check(*folders, '--classes', *NAMED, '--out', 'out',
                   '--iterations', 2)
    assert result.returncode == 0, result.text
    train(tmp_path)


@pytest.mark.parametrize('recipe', [
    pytest.param('sctnet-s-street_1xb6-2k_camvid-360x480',
                 marks=pytest.mark.slow),
    'erfnet_1xb8-demo_synthetic-street-128x256',  # ignores 19, not 255
])
def test_class_weights_where_pixels_have_no_class(tmp_path, check, recipe):
    result = check(*write(tmp_path, masks=uneven), '--out', 'out',
                   '--iterations', 2, '--recipe', recipe)
    assert result.returncode == 0, result.text
    head = train(tmp_path).model.decode_head
    assert head.ignore_index == 255
    weights = head.loss_decode.class_weight
    assert weights[2] > weights[1] > weights[0] > 0


@pytest.mark.parametrize('recipe, loss', [
    ('fanet-18_1xb4-demo_synthetic-street-256x512',
     'HardExampleCrossEntropyLoss'),
    ('erfnet_1xb8-demo_synthetic-street-128x256',
     'ClassWeightedCrossEntropyLoss'),
])
def test_heads_and_weights_of_a_recipe(tmp_path, check, recipe, loss):
    """Unequal classes; whatever heads and weights the recipe has."""
    result = check(*write(tmp_path, masks=uneven), '--out', 'out',
                   '--recipe', recipe)
    assert result.returncode == 0, result.text
    model = Config.fromfile(tmp_path / 'out/config.py').model
    heads = [model.decode_head]
    other = model.get('auxiliary_head') or []
    heads += other if isinstance(other, list) else [other]
    assert {head.num_classes for head in heads} == {3}
    assert model.decode_head.loss_decode.type == loss
    weights = model.decode_head.loss_decode.get('class_weight')
    share = np.bincount(uneven(0).ravel())[:3]
    share = share / share.sum()
    want = 1 / np.log(1.02 + share)
    want /= (want * share).sum()
    np.testing.assert_allclose(weights, want, atol=1e-3)
    assert weights[2] > weights[0]


def test_a_loss_that_takes_no_weights(tmp_path, check):
    (tmp_path / 'dice_1xb2-10_mine-64x64.py').write_text("""
_base_ = 'rtseg_plugin::lmanet/erfnet_1xb8-demo_synthetic-street-128x256.py'
model = dict(decode_head=dict(loss_decode=dict(
    _delete_=True, type='DiceLoss')))
""")
    result = check(*write(tmp_path, masks=uneven), '--out', 'out',
                   '--recipe', tmp_path / 'dice_1xb2-10_mine-64x64.py')
    assert result.returncode == 0, result.text
    assert 'takes no class weights' in result.text
    model = Config.fromfile(tmp_path / 'out/config.py').model
    assert 'class_weight' not in model.decode_head.loss_decode


@pytest.mark.parametrize('recipe, message', [
    ('sctnet-s_1xb4-demo_synthetic-street-256x512', 'distils from a teacher'),
    ('lmanet-erfnet-s4-r21_stage1_1xb4-demo_synthetic-street-128x256',
     'VideoEncoderDecoder'),
    ('rtformer-slm', 'is no file and no recipe'),
])
def test_a_recipe_that_does_not_fit(tmp_path, check, recipe, message):
    result = check(*write(tmp_path), '--out', 'out', '--recipe', recipe)
    assert result.returncode == 1
    assert message in result.text
    assert sorted(p.name for p in tmp_path.iterdir()) == ['images', 'masks']


def test_masks_of_0_and_255(tmp_path, check):
    folders = write(tmp_path, masks=lambda i: blocks(i, 2) * np.uint8(255))
    result = check(*folders)
    assert result.returncode == 1
    assert 'background=0 object=255' in result.text
    result = check(*folders, '--classes', 'background=0', 'object=255',
                   '--out', 'out')
    assert result.returncode == 0, result.text
    for path in (tmp_path / 'out/labels').rglob('*.png'):
        np.testing.assert_array_equal(
            np.unique(Image.open(path)), [0, 1])


def test_values_with_gaps_and_out_of_range(tmp_path, check):
    folders = write(
        tmp_path, masks=lambda i: np.array([0, 7, 300], np.uint16)[blocks(i)])
    result = check(*folders)
    assert result.returncode == 1
    assert 'class0=0 class1=7 class2=300' in result.text
    # a value that the names do not cover, by number, pixels and file
    result = check(*folders, '--classes', 'a=0', 'b=7', '--out', 'out')
    assert result.returncode == 1
    assert '1 values of the masks belong to no class' in result.text
    assert '300' in result.text
    assert 'f0_mask.png' in result.text
    assert not (tmp_path / 'out').exists()
    result = check(*folders, '--classes', 'a=0', 'b=7', 'a=300', '--out',
                   'out')
    assert result.returncode == 0, result.text
    label = np.asarray(Image.open(next(
        (tmp_path / 'out/labels').rglob('f3.png'))))
    np.testing.assert_array_equal(label, np.array([0, 1, 0])[blocks(3)])


def test_what_is_missing_broken_or_of_another_size(tmp_path, check):
    images, masks = write(tmp_path, 8)
    (masks / 'f0_mask.png').unlink()
    (images / 'f1.jpg').unlink()
    (masks / 'f2_mask.png').write_bytes(
        (masks / 'f2_mask.png').read_bytes()[:60])
    (images / 'f3.jpg').write_bytes(b'')
    Image.fromarray(blocks(4)[:100]).save(masks / 'f4_mask.png')
    turned = Image.open(images / 'f5.jpg')
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(images / 'f5.jpg', exif=exif)
    result = check(images, masks, '--out', 'out')
    assert result.returncode == 1
    for words in (
            '1 images have no mask', '1 masks have no image',
            '4 pairs cannot be used', 'f2_mask.png cannot be read',
            'f3.jpg cannot be read',
            'f4_mask.png is 256x100, its image 256x128',
            'f5_mask.png is 256x128, its image 128x256 once it is turned'):
        assert words in result.text
    assert not (tmp_path / 'out').exists()


def test_splits_of_folders_with_an_image_in_two(tmp_path, check):
    write(tmp_path, 4, folder='train')
    images, masks = write(tmp_path, 2, folder='val', start=10)
    assert check(images, masks).returncode == 0
    for kind, end in (('images', '.jpg'), ('masks', '_mask.png')):
        shutil.copy(tmp_path / kind / f'train/f1{end}',
                    tmp_path / kind / f'val/f99{end}')
    result = check(images, masks)
    assert result.returncode == 1
    assert '1 images are in more than one split' in result.text
    assert 'f1.jpg = ' in result.text


def test_a_split_depends_on_contents_alone(tmp_path, check):
    images, masks = write(tmp_path / 'a', 10)
    shutil.copy(images / 'f3.jpg', images / 'copy.jpg')
    shutil.copy(masks / 'f3_mask.png', masks / 'copy_mask.png')
    result = check(images, masks, '--out', 'one', '--val', 0.4)
    assert result.returncode == 0, result.text
    assert '1 images are there more than once' in result.text
    # other names, the same images
    shutil.copytree(tmp_path / 'a', tmp_path / 'b')
    for path in [*(tmp_path / 'b').rglob('f*')]:
        path.rename(path.with_name(f'z{path.name}'))
    result = check(tmp_path / 'b/images', tmp_path / 'b/masks', '--out',
                   'two', '--val', 0.4)
    assert result.returncode == 0, result.text

    def names(out, split):
        return {p.stem.lstrip('z')
                for p in (tmp_path / out / 'images' / split).iterdir()}

    for split in ('train', 'val'):
        assert names('one', split) == names('two', split)
    assert len(names('one', 'val')) in (4, 5)
    together = [names('one', s) for s in ('train', 'val')]
    assert any({'f3', 'copy'} <= part for part in together)
    other = check(images, masks, '--out', 'three', '--val', 0.4, '--seed', 7)
    assert other.returncode == 0, other.text
    assert names('three', 'val') != names('one', 'val')


def test_a_class_without_pixels(tmp_path, check):
    result = check(*write(tmp_path), '--classes', 'a', 'b', 'c', 'd')
    assert result.returncode == 1
    assert 'no pixel is of class d: its IoU would be nan' in result.text


def test_a_class_that_hardly_occurs(tmp_path, check):
    def mask(i):
        label = blocks(i, 2)
        label[5, 5] = 2 * (i % 4 == 0)
        return label

    result = check(*write(tmp_path, masks=mask))
    assert 'class2 hardly occurs' in result.text


def test_masks_beside_their_images(tmp_path, check):
    images, masks = write(tmp_path)
    for path in masks.iterdir():
        path.rename(images / path.name)
    result = check(images, images)
    assert result.returncode == 1
    assert '--mask-suffix says how' in result.text
    result = check(images, images, '--mask-suffix', '_mask.png')
    assert result.returncode == 0, result.text


def test_one_data_set_with_images_of_two_suffixes(tmp_path, check):
    images, masks = write(tmp_path)
    with Image.open(images / 'f0.jpg') as image:
        image.save(images / 'f0.png')
        want = np.asarray(image)
    (images / 'f0.jpg').unlink()
    result = check(images, masks, '--out', 'out')
    assert result.returncode == 0, result.text
    written = [*(tmp_path / 'out/images').rglob('*.*')]
    assert {p.suffix for p in written} == {'.png'}
    got, = (p for p in written if p.stem == 'f0')
    np.testing.assert_array_equal(Image.open(got), want)


@pytest.mark.parametrize('classes, message', [
    (('a', 'b=3'), 'to some names only'),
    (('a=1', 'b=1'), 'to two classes'),
    (('a=1', 'b=1,2,3'), 'mixes indexes and colours'),
    (('a=red', ), 'an index or a colour'),
    (('ignore', ), 'names no class'),
    (('a=1,2,3', 'b=0,0,0'), 'but the masks hold indexes'),
])
def test_classes_that_make_no_sense(tmp_path, check, classes, message):
    result = check(*write(tmp_path, 2), '--classes', *classes)
    assert result.returncode == 1
    assert message in result.text


def test_an_existing_folder_is_refused(tmp_path, check):
    (tmp_path / 'out').mkdir()
    result = check(*write(tmp_path, 2), '--out', 'out')
    assert result.returncode == 1
    assert 'out exists' in result.text


