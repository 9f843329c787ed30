"""The rendered street: layout, determinism, resuming, exact flow."""
import importlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmseg.datasets import CityscapesDataset

TOOLS = Path(__file__).parents[2] / 'tools/dataset_converters'
SIZE = ('--size', '64x128')
STILLS = (*SIZE, '--train', '11', '--val', '4')
SNIPPET = (*SIZE, '--train', '1', '--val', '1', '--frames', '21', '--dense')


@pytest.fixture(scope='module')
def street():
    sys.path.insert(0, str(TOOLS))
    threads = cv2.getNumThreads()
    yield importlib.import_module('synthetic_street')
    cv2.setNumThreads(threads)
    sys.path.remove(str(TOOLS))


def _run(street, out, *arguments):
    return street.main([str(out), '--jobs', '1', *arguments])


def _files(root):
    return {str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob('*')) if path.is_file()}


@pytest.fixture(scope='module')
def stills(street, tmp_path_factory):
    root = tmp_path_factory.mktemp('street') / 'stills'
    assert _run(street, root, *STILLS) == 0
    return root


@pytest.fixture(scope='module')
def snippet(street, tmp_path_factory):
    root = tmp_path_factory.mktemp('street') / 'snippet'
    assert _run(street, root, *SNIPPET) == 0
    return root


def _labels(root, split='*'):
    paths = sorted(root.glob(f'gtFine/{split}/*/*_labelTrainIds.png'))
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in paths]


def test_layout_of_stills(stills):
    names = set(_files(stills))
    expected = {'synthetic_street.json', 'statistics.json',
                'contact_sheet.png'}
    for split, cities, count in (('train', ('alderford', 'birchport'), 11),
                                 ('val', ('hazelbury', ), 4)):
        for index in range(count):
            city = cities[index // 10]
            stem = f'{split}/{city}/{city}_{index:06}_000019'
            expected |= {f'leftImg8bit/{stem}_leftImg8bit.png',
                         f'gtFine/{stem}_gtFine_labelTrainIds.png'}
    assert names == expected


def test_layout_of_snippets(snippet):
    names = set(_files(snippet))
    for split, city in (('train', 'alderford'), ('val', 'hazelbury')):
        stem = f'{split}/{city}/{city}_000000_'
        for time in range(21):
            frame = f'{stem}{time:06}'
            assert f'leftImg8bit_sequence/{frame}_leftImg8bit.png' in names
            assert f'gtFine/{frame}_gtFine_labelTrainIds.png' in names
            assert (f'flow/{frame}_flow.flo' in names) == (time < 20)
            assert (f'leftImg8bit/{frame}_leftImg8bit.png' in names) == (
                time == 19)


def test_sizes_types_and_values(stills, snippet):
    for root in (stills, snippet):
        for path in root.rglob('*_leftImg8bit.png'):
            image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            assert image.shape == (64, 128, 3)
            assert image.dtype == np.uint8
            assert image.std() > 5
        for label in _labels(root):
            assert label.shape == (64, 128)
            assert set(np.unique(label)) <= {*range(19), 255}


def test_all_classes_occur(stills):
    pixels = np.bincount(
        np.concatenate([label.ravel() for label in _labels(stills)]),
        minlength=256)
    assert (pixels[:19] > 0).all()
    share = pixels / pixels.sum()
    assert share[0] == share.max() > 0.2  # the road
    assert share[255] < 0.1
    # Thin or rare: poles, lights, signs, people, riders, two-wheelers.
    assert (share[[5, 6, 7, 11, 12, 17, 18]] < 0.04).all()


def test_stock_dataset_reads_it(stills):
    init_default_scope('mmseg')
    dataset = CityscapesDataset(
        data_root=str(stills),
        data_prefix=dict(
            img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
        ])
    assert len(dataset) == 11
    item = dataset[10]
    assert item['img'].shape == (64, 128, 3)
    assert item['gt_seg_map'].shape == (64, 128)


def test_palette_is_that_of_the_host(street):
    meta = CityscapesDataset.METAINFO
    statistics = importlib.import_module('street.statistics')
    assert list(meta['classes']) == list(statistics.CLASSES)
    assert street.PALETTE[:19, ::-1].tolist() == [
        list(colour) for colour in meta['palette']]


def test_processes_and_stills_agree(street, stills, tmp_path):
    """Byte for byte, with two processes, as a program."""
    command = [sys.executable, str(TOOLS / 'synthetic_street.py'),
               str(tmp_path / 'two'), *SIZE, '--train', '2', '--val', '1',
               '--jobs', '2']
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    two, one = _files(tmp_path / 'two'), _files(stills)
    pictures = [name for name in two if name.startswith(('left', 'gtF'))]
    assert len(pictures) == 6
    for name in pictures:
        assert two[name] == one[name]


def test_snippet_holds_the_still(stills, snippet):
    """The annotated frame does not depend on what else is rendered."""
    name = 'train/alderford/alderford_000000_000019_leftImg8bit.png'
    still = (stills / 'leftImg8bit' / name).read_bytes()
    assert (snippet / 'leftImg8bit' / name).read_bytes() == still
    assert (snippet / 'leftImg8bit_sequence' / name).read_bytes() == still


def test_seed_matters(street, stills, tmp_path):
    out = tmp_path / 'other'
    assert _run(street, out, *SIZE, '--train', '1', '--val', '1', '--seed',
                '1') == 0
    for name, content in _files(out).items():
        if name.startswith('leftImg8bit/'):
            assert content != (stills / name).read_bytes()


def test_interrupted_run_continues(street, stills, tmp_path, monkeypatch,
                                   capsys):
    out = tmp_path / 'out'
    arguments = (*SIZE, '--train', '2', '--val', '1')
    write, written = street.write_scene, []

    def stop_at_the_second(*scene):
        if written:
            raise KeyboardInterrupt
        written.append(scene)
        write(*scene)

    monkeypatch.setattr(street, 'write_scene', stop_at_the_second)
    assert _run(street, out, *arguments) == 130
    state = json.loads((out / 'synthetic_street.json').read_text())
    assert state['complete'] is False
    assert len(list(out.rglob('*_leftImg8bit.png'))) == 1
    first = next(out.rglob('*_leftImg8bit.png'))
    stamp = first.stat().st_mtime_ns
    monkeypatch.setattr(street, 'write_scene', write)
    assert _run(street, out, *arguments) == 0
    assert 'continuing, 2 of 3' in capsys.readouterr().out
    assert first.stat().st_mtime_ns == stamp
    for name, content in _files(out).items():
        if name.startswith(('left', 'gtF')):
            assert content == (stills / name).read_bytes()
    state = json.loads((out / 'synthetic_street.json').read_text())
    assert state['complete'] is True


def test_deleted_files_come_back(street, snippet, capsys):
    before = _files(snippet)
    for kind in ('leftImg8bit/train', 'flow/train', 'gtFine/val'):
        sorted((snippet / kind).glob('*/*'))[0].unlink()
    assert _run(street, snippet, *SNIPPET) == 0
    assert _files(snippet) == before
    capsys.readouterr()
    assert _run(street, snippet, *SNIPPET) == 0
    assert 'complete: nothing to do' in capsys.readouterr().out


def test_refuses_other_parameters(street, stills, capsys):
    before = _files(stills)
    assert _run(street, stills, *STILLS, '--seed', '3') == 2
    assert 'seed is 0 there and 3 here' in capsys.readouterr().err
    assert _files(stills) == before


def test_refuses_foreign_folders(street, tmp_path, capsys):
    (tmp_path / 'notes.txt').write_text('mine')
    arguments = (*SIZE, '--train', '1', '--val', '1')
    assert _run(street, tmp_path, *arguments) == 2
    assert 'not empty' in capsys.readouterr().err
    (tmp_path / 'leftImg8bit').mkdir()
    assert _run(street, tmp_path, *arguments, '--force') == 2
    assert 'not made by this tool' in capsys.readouterr().err
    (tmp_path / 'leftImg8bit').rmdir()
    assert _run(street, tmp_path, *arguments, '--force') == 0
    assert (tmp_path / 'notes.txt').read_text() == 'mine'


def test_force_replaces(street, tmp_path):
    arguments = (*SIZE, '--train', '2', '--val', '1')
    assert _run(street, tmp_path, *arguments) == 0
    arguments = (*SIZE, '--train', '1', '--val', '1', '--force',
                 '--contact-sheet', str(tmp_path / 'sheet.jpg'))
    assert _run(street, tmp_path, *arguments) == 0
    assert len(list((tmp_path / 'gtFine').rglob('*.png'))) == 2
    assert cv2.imread(str(tmp_path / 'sheet.jpg')) is not None


@pytest.mark.parametrize('arguments', [
    ('--size', '64'), ('--size', '32x64'), ('--size', '256x128'),
    ('--size', '-64x128'), ('--train', '0'), ('--val', '-1'),
    ('--frames', '19'), ('--frames', '1000'), ('--jobs', '0'),
    ('--seed', '-1'), ('--contact-sheet', 'sheet.txt'),
])
def test_bad_arguments(street, tmp_path, arguments, capsys):
    with pytest.raises(SystemExit) as error:
        _run(street, tmp_path / 'out', *arguments)
    assert error.value.code == 2
    assert arguments[0] in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def _warped(label, flow):
    """What lies in the next frame where the flow leads."""
    height, width = label.shape
    xs, ys = np.meshgrid(np.arange(width), np.arange(height))
    x = np.rint(xs + flow[..., 0].clip(-1e4, 1e4)).astype(int)
    y = np.rint(ys + flow[..., 1].clip(-1e4, 1e4)).astype(int)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    inside &= np.abs(flow).max(2) < 1e9
    return label[y.clip(0, height - 1), x.clip(0, width - 1)], inside


def test_flow_leads_to_the_same_class(street):
    """Of the pixels inside an area of one class, nearly all.

    Not all, as what is nearer may hide a pixel's point in the next frame.
    Edges are left out, for the target is rounded to a whole pixel. Without
    the flow, far fewer pixels keep their class.
    """
    hit, still, total = 0, 0, 0
    for index in range(4):
        scene = street.build_scene(
            np.random.default_rng([5, index]), street.SPOTLIGHTS[index])
        renderer = street.Renderer(scene, 128, 256)
        labels, flows = [], []
        for time in range(4, 8):
            frame = renderer.render(time, np.random.default_rng(time), True)
            labels.append(frame.label)
            flows.append(frame.flow)
        for label, flow, later in zip(labels, flows, labels[1:]):
            warped, inside = _warped(later, flow)
            around = np.ones((3, 3), np.uint8)
            inside &= cv2.erode(label, around) == cv2.dilate(label, around)
            inside &= (label != 255) & (warped != 255)
            hit += (warped == label)[inside].sum()
            still += (later == label)[inside].sum()
            total += inside.sum()
    assert hit / total > 0.985
    assert (total - still) > 3 * (total - hit)


def test_flow_follows_a_known_point(street):
    """A corner of a moving quad, projected by hand into both frames."""
    scene = street.build_scene(np.random.default_rng(9), 'bus')
    renderer = street.Renderer(scene, 96, 192)
    frame = renderer.render(19, np.random.default_rng(0), with_flow=True)
    intrinsics = scene.camera.intrinsics(96, 192)
    errors = []
    for quad in scene.quads:
        body = scene.bodies[quad.body]
        places = []
        for time in (19, 20):
            pose = body.pose(time)
            rotation, centre = scene.camera.pose(time)
            world = pose[:, :3] @ quad.frame @ (0.5, 0.5, 1) + pose[:, 3]
            pixel = intrinsics @ rotation @ (world - centre)
            places.append((pixel[:2] / pixel[2], pixel[2]))
        (x, y), depth = places[0]
        if depth < 1 or not (0 <= x <= 191 and 0 <= y <= 95):
            continue
        moved = places[1][0] - places[0][0]
        given = frame.flow[int(round(y)), int(round(x))]
        errors.append(np.abs(given - moved).max())
    # Most centres are hidden by something else; those that are seen agree
    # up to the change of the flow within half a pixel.
    assert np.sum(np.array(errors) < 0.1) > 20


def test_flow_files(snippet):
    path = sorted(snippet.glob('flow/train/*/*.flo'))[0]
    flow = cv2.readOpticalFlow(str(path))
    assert flow.shape == (64, 128, 2)
    assert np.isfinite(flow).all()
    assert flow.any()


def test_statistics(street, stills, capsys):
    """Colour alone must not tell the classes apart."""
    classes = importlib.import_module('street.statistics').CLASSES
    statistics = json.loads((stills / 'statistics.json').read_text())
    assert street.main([str(stills), '--measure']) == 0
    assert 'linear classifier' in capsys.readouterr().out
    assert street.measure(stills) == statistics
    colour = statistics['colour_classifier']
    frequent = statistics['most_frequent_class']
    # 5 to 8 % with other seeds, networks reach several times as much.
    assert frequent['miou'] < colour['miou'] < 0.15
    assert 0.2 < colour['accuracy'] < 0.6
    frequency = statistics['class_frequency']
    assert list(frequency) == list(classes)
    assert sum(frequency.values()) == pytest.approx(1, abs=1e-4)
    labels = np.concatenate(
        [label.ravel() for label in _labels(stills, 'train')])
    assert frequency['road'] == pytest.approx(
        (labels == 0).sum() / (labels < 19).sum(), abs=1e-6)


def test_measure_needs_a_data_set(street, tmp_path, capsys):
    assert street.main([str(tmp_path), '--measure']) == 2
    assert 'no leftImg8bit/train images' in capsys.readouterr().err


def test_score_of_a_known_confusion(street):
    statistics = importlib.import_module('street.statistics')
    truth = np.array([0, 0, 0, 18, 18, 5])
    found = np.array([0, 0, 18, 18, 18, 0])
    score = statistics._score(found, truth)
    assert score['iou'] == {
        'road': pytest.approx(2 / 4), 'pole': 0.0,
        'bicycle': pytest.approx(2 / 3)}
    assert score['miou'] == pytest.approx((2 / 4 + 2 / 3) / 3)
    assert score['accuracy'] == pytest.approx(4 / 6)
