"""CamVid converter and data set, on small files made here."""
import importlib.util
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS
from PIL import Image

import rtseg_plugin  # noqa: F401

ROOT = Path(__file__).parents[2]
CLASSES = ('Sky', 'Building', 'Column_Pole', 'Road', 'Sidewalk', 'Tree',
           'SignSymbol', 'Fence', 'Car', 'Pedestrian', 'Bicyclist')


@pytest.fixture(scope='module')
def camvid():
    path = ROOT / 'tools/dataset_converters/camvid.py'
    spec = importlib.util.spec_from_file_location('camvid_converter', path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def _colours(module, names):
    """One column of four rows for each class name."""
    row = np.array([module.COLOURS[name] for name in names], np.uint8)
    return np.broadcast_to(row, (4, *row.shape)).copy()


def _pair(folder, labels, name, label, ending='_L'):
    folder.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    image = np.full((*label.shape[:2], 3), len(name), np.uint8)
    Image.fromarray(image).save(folder / f'{name}.png')
    Image.fromarray(label).save(labels / f'{name}{ending}.png')


@pytest.fixture
def colour_source(camvid, tmp_path):
    src = tmp_path / 'src'
    for split, names in dict(
            train=('a', 'b'), val=('c', ), test=('d', )).items():
        for name in names:
            _pair(src / split, src / f'{split}_labels', name,
                  _colours(camvid, sorted(camvid.COLOURS)))
    return src


def _read(path):
    return np.asarray(Image.open(path))


def test_colour_table(camvid):
    # label_colors.txt of the data set: 32 colours, all of them different
    assert len(set(camvid.COLOURS.values())) == len(camvid.COLOURS) == 32
    assert camvid.CLASSES == CLASSES
    dataset = DATASETS.get('CamVidDataset')
    assert dataset.METAINFO['palette'] == [
        list(camvid.COLOURS[name]) for name in CLASSES
    ]
    assert [
        name.replace('-', '').lower() for name in dataset.METAINFO['classes']
    ] == [name.replace('_', '').lower() for name in CLASSES]
    assert set(camvid.MERGED.values()) < set(CLASSES)
    assert set(camvid.MERGED) | set(CLASSES) | {'Void'} == set(camvid.COLOURS)


@pytest.mark.parametrize('merge', [False, True])
def test_colour_labels(camvid, colour_source, tmp_path, merge):
    out = tmp_path / 'out'
    camvid.main([str(colour_source), str(out)] + ['--merge'] * merge)
    expected = []
    for name in sorted(camvid.COLOURS):
        if merge and name in camvid.MERGED:
            name = camvid.MERGED[name]
        expected.append(CLASSES.index(name) if name in CLASSES else 255)
    label = _read(out / 'labels/val/c.png')
    assert label.dtype == np.uint8
    assert (label == expected).all()
    assert (_read(out / 'images/train/b.png') == 1).all()
    assert (out / 'trainval.txt').read_text().split() == [
        'train/a', 'train/b', 'val/c'
    ]
    assert not list(out.glob('.camvid-*'))


@pytest.mark.parametrize('palette', [False, True])
def test_segnet_labels(camvid, tmp_path, palette):
    src, out = tmp_path / 'src', tmp_path / 'out'
    values = np.tile(np.arange(12, dtype=np.uint8), (4, 1))
    for split in ('train', 'val', 'test'):
        _pair(src / split, src / f'{split}annot', f'{split}1', values, '')
        if palette:  # a palette that says nothing about the classes
            file = src / f'{split}annot/{split}1.png'
            image = Image.fromarray(values)
            image.putpalette(list(range(1, 256)) * 3)
            image.save(file)
    camvid.main([str(src), str(out)])
    label = _read(out / 'labels/train/train1.png')
    assert (label == [*range(11), 255]).all()


def test_lists(camvid, tmp_path):
    src, out = tmp_path / 'src', tmp_path / 'out'
    for name in 'abc':
        _pair(src / '701_StillsRaw_full', src / 'LabeledApproved_full', name,
              _colours(camvid, ['Sky', 'Car']))
    _pair(src / 'train', src / 'trainannot', 'd',
          np.array([[0, 8]], np.uint8), '')
    (tmp_path / 'train.txt').write_text('a.png\nb_L.png\n')
    (tmp_path / 'val.txt').write_text('c\n')
    (tmp_path / 'test.txt').write_text(
        '/SegNet/CamVid/train/d.png /SegNet/CamVid/trainannot/d.png\n')
    lists = [
        f'--{split}-list={tmp_path / split}.txt'
        for split in ('train', 'val', 'test')
    ]
    with pytest.raises(SystemExit, match='--test-list missing'):
        camvid.main([str(src), str(out), *lists[:2]])
    camvid.main([str(src), str(out), *lists])
    for file in ('train/a', 'train/b', 'val/c', 'test/d'):
        assert (_read(out / f'labels/{file}.png') == [0, 8]).all()


@pytest.mark.parametrize('fault, message', [
    ('split', 'needs the folder val/.*not guessed'),
    ('label', 'no label for c: neither c_L.png nor c.png'),
    ('colour', '2 problems, nothing written'),
    ('index', '1 problems, nothing written'),
    ('size', '1 problems, nothing written'),
    ('broken', '1 problems, nothing written'),
    ('twice', 'listed more than once, for instance a'),
    ('full', 'is not empty; --force'),
])
def test_faults(camvid, colour_source, tmp_path, capfd, fault, message):
    src, out = colour_source, tmp_path / 'out'
    label = src / 'train_labels/a_L.png'
    if fault == 'split':
        (src / 'val').rename(src / 'validation')
    elif fault == 'label':
        (src / 'val_labels/c_L.png').unlink()
    elif fault == 'colour':
        values = _colours(camvid, ['Sky'] * 32)
        values[0, :3], values[1, 0] = (1, 2, 3), (4, 5, 6)
        Image.fromarray(values).save(label)
    elif fault == 'index':
        Image.fromarray(np.full((4, 32), 31, np.uint8)).save(label)
    elif fault == 'size':
        Image.fromarray(_colours(camvid, ['Sky'])).save(label)
    elif fault == 'broken':
        label.write_bytes(label.read_bytes()[:40])
    elif fault == 'twice':
        _pair(src / 'val', src / 'val_labels', 'a', _colours(camvid, ['Sky']))
    elif fault == 'full':
        out.mkdir()
        (out / 'mine.txt').write_text('keep')
    with pytest.raises(SystemExit, match=message):
        camvid.main([str(src), str(out)])
    if fault == 'full':
        camvid.main([str(src), str(out), '--force'])
        assert (out / 'mine.txt').read_text() == 'keep'
        assert (out / 'test.txt').is_file()
        return
    assert not out.exists()
    if fault == 'colour':
        errors = capfd.readouterr().err
        for colour, count in (('(1, 2, 3)', 3), ('(4, 5, 6)', 1)):
            assert (f'{label}: colour {colour} is not in the table, {count} '
                    'pixels') in errors
        camvid.main([str(src), str(out), '--unknown-as-void'])
        converted = _read(out / 'labels/train/a.png')
        assert (converted[0] == [255] * 3 + [0] * 29).all()


def test_a_failed_rerun_keeps_the_old_result(camvid, colour_source, tmp_path):
    out = tmp_path / 'out'
    camvid.main([str(colour_source), str(out)])
    before = (out / 'labels/train/a.png').read_bytes()
    Image.fromarray(np.full((4, 32), 31, np.uint8)).save(
        colour_source / 'train_labels/a_L.png')
    with pytest.raises(SystemExit, match='nothing written'):
        camvid.main([str(colour_source), str(out), '--force'])
    assert (out / 'labels/train/a.png').read_bytes() == before
    assert not list(out.glob('.camvid-*'))


@pytest.mark.parametrize('base, sizes', [
    ('camvid_720x960', (2, 1, 1)),
    ('camvid-trainval_720x960', (3, 1, 1)),
])
def test_dataset_bases(camvid, colour_source, tmp_path, base, sizes):
    out = tmp_path / 'out'
    camvid.main([str(colour_source), str(out)])
    cfg = Config.fromfile(ROOT / f'configs/_base_/datasets/{base}.py')
    for split, size in zip(('train', 'val', 'test'), sizes):
        dataset = cfg[f'{split}_dataloader'].dataset
        dataset.data_root = str(out)
        with DefaultScope.overwrite_default_scope('mmseg'):
            dataset = DATASETS.build(dataset)
        assert len(dataset) == size
        sample = dataset[0]['data_samples']
        assert set(sample.gt_sem_seg.data.unique().tolist()) <= {
            *range(11), 255
        }
    names = [
        Path(dataset.get_data_info(i)['img_path']).stem
        for i in range(len(dataset))
    ]
    assert names == ['d']


def test_the_splits_that_are_there(camvid, colour_source, tmp_path):
    out = tmp_path / 'out'
    for name in ('test', 'test_labels'):
        shutil.rmtree(colour_source / name)
    with pytest.raises(SystemExit, match='such as --splits train val'):
        camvid.main([str(colour_source), str(out)])
    camvid.main([str(colour_source), str(out), '--splits', 'train', 'val'])
    assert sorted(path.name for path in out.iterdir()) == [
        'images', 'labels', 'train.txt', 'trainval.txt', 'val.txt'
    ]
    assert sorted(path.name for path in (out / 'labels').iterdir()) == [
        'train', 'val'
    ]
