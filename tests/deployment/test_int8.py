"""Quantised exports: calibration, accuracy, what is refused."""
import ctypes
import json
import shutil
import struct

import cv2
import mmcv
import numpy as np
import pytest
import torch
from mmengine.config import Config

from rtseg_plugin.apis import VideoSession, load_segmentor
from rtseg_plugin.apis.deployed import DeployedNetwork
from rtseg_plugin.apis.resize import Resize
from rtseg_plugin.deployment import export as exporting
from rtseg_plugin.deployment import quantize as module
from rtseg_plugin.deployment.data import Accuracy, Validation
from rtseg_plugin.deployment.export import export
from rtseg_plugin.deployment.graph import (
    Normalisation,
    denormalise,
    normalisation_of,
    normalise,
)
from rtseg_plugin.utils.deployed_folder import DeploymentError
from rtseg_plugin.utils.runtimes import openvino_core
from tests.apis.test_sources import write_huge_png
from tests.builders import ROOT, write_cityscapes
from tests.deployment.conftest import CLASSES, SIZE, frame, write_model
from tests.deployment.test_memory import VIDEO, small_video  # noqa: F401

pytest.importorskip('onnxscript')
pytest.importorskip('nncf')
INT8 = dict(format='openvino', precision='int8')


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for i in range(4):
        cv2.imwrite(str(folder / f'{i}.png'), frame(i, (40, 60)))
    return folder


@pytest.fixture(scope='module')
def with_data(small, tmp_path_factory):
    """The small network's config with a data set."""
    root = tmp_path_factory.mktemp('data')
    write_cityscapes(root, train=3, val=2, size=SIZE)
    for path in (root / 'gtFine/val').rglob('*.png'):  # nothing of class 18
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), np.minimum(label, 17))
    cfg = Config.fromfile(small[0])
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=SIZE[::-1]),
        dict(type='LoadAnnotations'),
        dict(type='PackSegInputs')
    ]
    for split in ('train', 'val'):
        cfg[f'{split}_dataloader'] = dict(
            batch_size=2,
            num_workers=2,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(
                type='CityscapesDataset',
                data_root=str(root),
                data_prefix=dict(
                    img_path=f'leftImg8bit/{split}',
                    seg_map_path=f'gtFine/{split}'),
                pipeline=pipeline))
    cfg.train_dataloader.dataset = dict(
        type='RepeatDataset', times=3, dataset=cfg.train_dataloader.dataset)
    cfg.val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
    cfg.dump(root / 'with_data.py')
    return str(root / 'with_data.py')


def test_pictures_calibrate(small, pictures, tmp_path, monkeypatch):
    compared, compare_step = [], exporting.compare_step

    def watched(deployed, eager, picture):
        compared.append((deployed.metadata['precision'], picture))
        return compare_step(deployed, eager, picture)

    monkeypatch.setattr(exporting, 'compare_step', watched)
    export(*small, out=tmp_path / 'out', calibration=pictures, raw_input=True,
           **INT8)
    deployed = DeployedNetwork(tmp_path / 'out', threads=1)
    report = deployed.metadata['int8']
    assert report['calibration_images'] == 4
    assert report['quantised_operations'] > 10
    assert deployed.metadata['compute_precision'] == report['compute']
    labels, _ = deployed.step(frame())
    assert labels.shape == SIZE
    assert len(np.unique(labels)) > 2
    assert 'mIoU was not measured' in (tmp_path / 'out/report.md').read_text()
    # numbers of eight bits are near those of floats, and not the same
    errors = {c['precision']: c['difference']
              for c in deployed.metadata['comparisons']}
    assert errors['fp32'] < 1e-4 < errors['int8'] < 0.5
    # of INT8 on what calibrated it, not on noise
    *floats, (precision, picture) = compared
    assert {precision for precision, _ in floats} == {'fp32'}
    assert precision == 'int8'
    np.testing.assert_array_equal(
        picture, cv2.resize(cv2.imread(str(pictures / '0.png')), SIZE[::-1]))


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
def test_frames_come_back_from_images(order):
    how = Normalisation([123.675, 116.28, 103.53], [58.395, 57.12, 57.375],
                        order)
    picture = frame()
    np.testing.assert_array_equal(
        denormalise(normalise(picture, how), how), picture)


def test_attention_stays_in_float():
    """A mask, and what reads a softmax, also through a reshape."""
    openvino = pytest.importorskip('openvino')
    nncf = pytest.importorskip('nncf')
    ops = openvino.opset13
    rng = np.random.default_rng(0)

    def weights(*shape):
        return ops.constant(rng.standard_normal(shape).astype(np.float32))

    image = ops.parameter([1, 8, 16], np.float32, name='image')
    valid = ops.parameter([1, 1, 16], bool, name='valid')
    energy = ops.matmul(weights(1, 8, 8), image, False, False, name='before')
    mask = ops.add(
        ops.select(valid, ops.constant(np.float32(0)),
                   ops.constant(np.float32(-np.inf))),
        weights(8, 16), name='mask')
    soft = ops.softmax(ops.add(energy, mask, name='masked'), -1)
    read = ops.matmul(
        weights(8, 8), ops.reshape(soft, [8, 16], False), False, False,
        name='read')
    shares = ops.divide(
        soft, ops.reduce_sum(soft, [1], True, name='sum'), name='shares')
    after = ops.matmul(weights(1, 8, 8), shares, False, False, name='after')
    model = openvino.Model([read, after], [image, valid])
    kept = module.kept_in_float(model)
    assert kept == ['mask', 'masked', 'read', 'shares', 'sum']
    example = dict(
        image=rng.standard_normal((1, 8, 16)).astype(np.float32),
        valid=np.arange(16).reshape(1, 1, 16) > 3)

    def quantised_without(names):
        return nncf.quantize(
            model.clone(), nncf.Dataset([example]),
            ignored_scope=nncf.IgnoredScope(names=names))

    with pytest.raises(DeploymentError, match='was given infinite values'):
        module.check_ranges(quantised_without([]))
    quantised = quantised_without(kept)
    module.check_ranges(quantised)
    inputs = {
        op.get_friendly_name(): [
            op.input_value(i).get_node().get_type_name()
            for i in range(len(op.inputs()))
        ] for op in quantised.get_ops()
    }
    assert 'FakeQuantize' not in inputs['read'] + inputs['shares']
    assert inputs['before'][1] == inputs['after'][1] == 'FakeQuantize'


def test_a_config_calibrates_and_measures(small, with_data, tmp_path):
    metadata = export(*small, out=tmp_path / 'out', calibration=with_data,
                      max_drop=5., **INT8)
    report = metadata['int8']
    assert report['calibration_images'] == 3  # of training, each once
    assert report['calibrated_on'] == 'training images'
    accuracy = report['accuracy']
    assert accuracy['images'] == 2
    assert len(accuracy['fp32']['classes']) == 19
    assert accuracy['int8']['miou'] >= accuracy['fp32']['miou'] - 5
    assert '| mean |' in (tmp_path / 'out/report.md').read_text()
    assert accuracy['int8']['classes'][18] is None
    # plain JSON: no NaN
    json.loads((tmp_path / 'out/metadata.json').read_text(),
               parse_constant=pytest.fail)


def test_images_are_from_all_over_the_set(small, with_data, pictures,
                                          monkeypatch):
    from rtseg_plugin.deployment import data
    monkeypatch.setattr(data, 'CALIBRATION_IMAGES', 2)
    cfg = Config.fromfile(with_data)
    frames = data.ConfigFrames(cfg, load_segmentor(*small), SIZE)
    assert len(frames) == len(list(frames.streams())) == 2
    assert list(frames.loader.dataset.indices) == [0, 2]
    how = normalisation_of(load_segmentor(*small))
    for video, want in ((False, '03'), (True, '01')):
        frames = data.FolderFrames(pictures, SIZE, how, video)
        assert [path.stem for path in frames.paths] == list(want)
        assert [len(list(frames)) for frames in frames.streams()] == [2]
    cfg.train_dataloader = None
    frames = data.ConfigFrames(cfg, load_segmentor(*small), SIZE)
    assert frames.kind.startswith('validation images')


def test_data_sets_together_calibrate(small, with_data):
    """Of train and val, as for a test server; in a wrapper each, or none."""
    from rtseg_plugin.deployment import data
    cfg = Config.fromfile(with_data)
    train = cfg.train_dataloader.dataset.dataset
    train.pipeline = [
        train.pipeline[0], train.pipeline[2],
        dict(type='RandomCrop', crop_size=(32, 32)), train.pipeline[3]]
    val = dict(train, data_prefix=cfg.val_dataloader.dataset.data_prefix)
    cfg.train_dataloader.dataset = dict(
        type='ConcatDataset', datasets=[
            dict(type='RepeatDataset', times=3, dataset=train), val])
    frames = data.ConfigFrames(cfg, load_segmentor(*small), SIZE)
    assert frames.kind == 'training images'
    assert [image.shape for stream in frames.streams() for image in stream
            ] == [(1, 3, *SIZE)] * 5


def test_frames_follow_each_other_as_people_number_them(tmp_path):
    from rtseg_plugin.deployment.data import FolderFrames
    numbers = (1, 2, 10)
    for number in numbers:
        cv2.imwrite(f'{tmp_path}/frame{number}.png',
                    np.full((4, 6, 3), number, np.uint8))
    how = Normalisation([0., 0., 0.], [1., 1., 1.], 'bgr')
    stream, = FolderFrames(tmp_path, (4, 6), how, video=True).streams()
    assert [image[0, 0, 0, 0] for image in stream] == list(numbers)


def test_a_folder_is_resized_as_the_config_resizes(small, pictures):
    from rtseg_plugin.deployment.data import calibration_frames
    how = Normalisation([0., 0., 0.], [1., 1., 1.], 'bgr')
    resize = Resize((96, 64), None, True, 'bilinear', 'pillow')
    size = (SIZE[0] // 3, SIZE[1] // 3)
    frames, _ = calibration_frames(
        pictures, None, load_segmentor(*small), how, size, resize)
    seen = next(iter(next(frames.streams())))
    picture = cv2.imread(str(frames.paths[0]))
    want = mmcv.imresize(picture, size[::-1], backend='pillow')
    np.testing.assert_array_equal(seen[0].transpose(1, 2, 0), want)


def test_images_of_another_size_are_refused(small, with_data, tmp_path):
    with pytest.raises(DeploymentError, match='gives images of 64x96, INT8 is '
                       'exported for 64x128'):
        export(*small, out=tmp_path / 'out', calibration=with_data,
               size=(64, 128), **INT8)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings('ignore:Mean of empty slice')
def test_labels_of_no_class_are_no_measure(small, with_data, tmp_path):
    cfg = Config.fromfile(with_data)
    data = cfg.val_dataloader.dataset
    shutil.copytree(data.data_root, tmp_path / 'data')
    data.data_root = str(tmp_path / 'data')
    for path in (tmp_path / 'data/gtFine/val').rglob('*.png'):
        cv2.imwrite(str(path), np.full(SIZE, 255, np.uint8))
    model = load_segmentor(*small)
    with pytest.raises(DeploymentError, match='mIoU of the 2 .* is nan'):
        Validation(cfg, model, SIZE).measure(
            lambda image, state: (np.zeros((1, 5, *SIZE), np.float32), None))


def test_accuracy_is_that_of_the_host(small, with_data):
    """Eager through the validation's own loop and through ours."""
    model = load_segmentor(*small)
    cfg = Config.fromfile(with_data)

    def step(image, state):
        with torch.no_grad():
            return model(torch.from_numpy(image), mode='tensor').numpy(), None

    got = Validation(cfg, model, SIZE).measure(step)
    hits = np.zeros((2, 19))
    data = Validation(cfg, model, SIZE).loader.dataset
    for i in range(len(data)):
        item = data[i]
        image = item['inputs'].permute(1, 2, 0).numpy()
        with torch.no_grad():
            logits = model.encode_decode(
                torch.from_numpy(normalise(image, normalisation_of(model))),
                [dict(img_shape=SIZE)])
        labels = logits.argmax(1)[0].numpy()
        truth = item['data_samples'].gt_sem_seg.data[0].numpy()
        for c in range(19):
            hits[0, c] += ((labels == c) & (truth == c)).sum()
            hits[1, c] += ((labels == c) | (truth == c)).sum()
    with np.errstate(invalid='ignore'):  # class 18 is nowhere
        want = hits[0] / hits[1] * 100
    np.testing.assert_allclose(got.classes, want, rtol=1e-6)
    assert abs(got.miou - np.nanmean(want)) < 0.01


def signal_stack():
    """Address, flags and size of this thread's stack for signals."""
    stack = ctypes.create_string_buffer(24)
    assert ctypes.CDLL(None).sigaltstack(None, stack) == 0
    return struct.unpack('PiN', stack)


@pytest.mark.slow
def test_operations_go_back_to_float(small, with_data, tmp_path):
    """NNCF's own control, where the labels are the network's own."""
    cfg = Config.fromfile(with_data)
    data = cfg.val_dataloader.dataset
    shutil.copytree(data.data_root, tmp_path / 'data')
    data.data_root = str(tmp_path / 'data')
    model = load_segmentor(*small)
    for item in Validation(cfg, model, SIZE).loader.dataset:
        sample = item['data_samples']
        image = cv2.imread(sample.img_path)
        with torch.no_grad():
            logits = model.encode_decode(
                torch.from_numpy(normalise(image, normalisation_of(model))),
                [dict(img_shape=SIZE)])
        labels = logits.argmax(1)[0].numpy().astype(np.uint8)
        cv2.imwrite(sample.seg_map_path, labels)
    cfg.dump(tmp_path / 'own_labels.py')
    openvino_core().get_property('CPU', 'FULL_DEVICE_NAME')  # loads it
    stack = signal_stack()
    report = export(*small, out=tmp_path / 'out', max_drop=1.,
                    calibration=str(tmp_path / 'own_labels.py'),
                    **INT8)['int8']
    assert signal_stack() == stack  # NNCF leaves one that is gone
    accuracy = report['accuracy']
    assert accuracy['fp32']['miou'] > 99.9
    assert report['plain_int8_miou'] < accuracy['fp32']['miou'] - 1
    assert accuracy['int8']['miou'] >= accuracy['fp32']['miou'] - 1
    assert report['quantised_operations'] > 0


@pytest.mark.parametrize('folder', [False, True])
def test_more_than_the_drop_is_refused(small, with_data, pictures, tmp_path,
                                       monkeypatch, folder):
    """Whatever is measured of the quantised network is too low.

    With a folder it is the network's own config that is measured with.
    """
    model, options = small[0], dict(calibration=with_data)
    if folder:
        model, options = with_data, dict(calibration=pictures, max_drop=39.)
    calls = []

    def measure(self, step):
        calls.append(step)
        return Accuracy(50. if len(calls) == 1 else 10., [], 2)

    def unchanged(model, validation_dataset, validation_fn, **options):
        items = list(validation_dataset.get_data())
        assert len(items) == 1  # each costs a run over the set
        assert validation_fn(model, items) == (0.1, [0.1])
        return model

    monkeypatch.setattr(Validation, 'measure', measure)
    nncf = pytest.importorskip('nncf')
    monkeypatch.setattr(nncf, 'quantize_with_accuracy_control', unchanged)
    monkeypatch.setattr(module, '_milliseconds',
                        lambda steps, image: [1.] * len(steps))
    allowed = '39.0' if folder else '0.5'
    with pytest.raises(DeploymentError, match='loses 40.00 mIoU of 50.00, '
                       f'more than --max-drop {allowed}'):
        export(model, small[1], out=tmp_path / 'out', **options, **INT8)
    assert list(tmp_path.iterdir()) == [pictures]


def test_a_folder_and_no_set_to_measure_with(small, with_data, pictures,
                                             tmp_path):
    options = dict(out=tmp_path / 'out', calibration=pictures, max_drop=1.,
                   **INT8)
    with pytest.raises(DeploymentError, match='no validation set and metric '
                       'to hold --max-drop with: give --calibration CONFIG'):
        export(*small, **options)
    elsewhere = {'val_dataloader.dataset.data_root': str(tmp_path / 'no')}
    with pytest.raises(DeploymentError, match='data set is not there .*give '
                       '--calibration FOLDER of images and no --max-drop'):
        export(with_data, small[1], cfg_options=elsewhere, **options)
    with pytest.raises(DeploymentError, match='gives images of 64x96.* and '
                       'no --max-drop'):
        export(with_data, small[1], size=(64, 128), **options)
    assert list(tmp_path.iterdir()) == [pictures]


READS = dict(
    window='window_size=5',
    constant='window_size=3, learnable_constant=True',
    everywhere='window_size=None')


@pytest.mark.parametrize('read', READS)
def test_a_network_that_remembers(pictures, tmp_path, read):
    model = write_model(tmp_path / 'model',
                        VIDEO.replace(READS['window'], READS[read]))
    export(*model, out=tmp_path / 'out', calibration=pictures, **INT8)
    deployed = DeployedNetwork(tmp_path / 'out', threads=1)
    metadata = json.loads((tmp_path / 'out/metadata.json').read_text())
    assert metadata['precision'] == 'int8'
    state, seen = None, set()
    for index in range(5):
        labels, state = deployed.step(frame(index), state)
        seen.update(np.unique(labels))
    assert int(state.frames[0]) == 3
    assert len(seen) > 2
    # it is the keys that say what is read
    model = openvino_core().read_model(tmp_path / 'out/model.xml')
    attention = next(op for op in model.get_ops()
                     if op.get_type_name() == 'Softmax')
    model.add_outputs([attention.output(0)])
    compiled = openvino_core().compile_model(model, 'CPU')
    image = deployed.prepare(frame())
    weights = []
    for sign in (1, -1):
        state = state._replace(keys=sign * state.keys)
        results = compiled([image, *state])
        weights.append(results[len(compiled.outputs) - 1])
    np.testing.assert_allclose(weights[0].sum(-1), 1, rtol=1e-5)
    assert abs(weights[0] - weights[1]).max() > 0.1 * weights[0].mean()


@pytest.mark.parametrize('every', [True, False])
def test_all_frames_of_clips_count(small_video, tmp_path, every):  # noqa: F811
    """As the config's own test decodes them: all, or the last ones."""
    rng = np.random.default_rng(0)
    for number in range(6):
        name = f'{number // 3}/{number}.png'
        for folder, picture in (
                ('images', frame(number)),
                ('labels', rng.integers(0, 5, SIZE).astype(np.uint8))):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture)
    cfg = Config.fromfile(small_video[0])
    cfg.model.data_preprocessor.type = 'VideoSegDataPreProcessor'
    cfg.val_dataloader = dict(
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            type='VideoFolderDataset',
            data_root=str(tmp_path),
            data_prefix=dict(img_path='images', seg_map_path='labels'),
            metainfo=dict(classes=CLASSES, palette=[[i] * 3
                                                    for i in range(5)]),
            clip_length=None,
            pipeline=[
                dict(type='LoadClip'),
                dict(type='LoadClipAnnotations', all_frames=True),
                dict(type='PackClipInputs')
            ]))
    cfg.val_evaluator = dict(type='ClipIoUMetric', iou_metrics=['mIoU'])
    cfg.model.decode_all = every
    model = load_segmentor(cfg, small_video[1])

    def step(image, state):
        with torch.no_grad():
            logits, state = model.step(torch.from_numpy(image), state)
        return logits.numpy(), state

    got = Validation(cfg, model, SIZE).measure(step)
    assert got.images == (6 if every else 2)
    hits = np.zeros((2, 5))
    for video in range(2):
        session = VideoSession(model)
        for number in range(3 * video, 3 * video + 3):
            labels = session.feed(frame(number)).labels
            truth = cv2.imread(
                str(tmp_path / f'labels/{video}/{number}.png'),
                cv2.IMREAD_UNCHANGED)
            if every or number % 3 == 2:
                for c in range(5):
                    hits[0, c] += ((labels == c) & (truth == c)).sum()
                    hits[1, c] += ((labels == c) | (truth == c)).sum()
    np.testing.assert_allclose(
        got.classes, 100 * hits[0] / hits[1], rtol=1e-6)


@pytest.mark.parametrize('options, message', [
    (dict(calibration='nowhere'), 'nowhere is no folder and no config'),
    (dict(calibration=ROOT / 'README.md'), 'is no folder and no config'),
    (dict(), 'has no data set'),
    (dict(calibration='nowhere', precision='fp32'),
     '--calibration is for int8, not fp32'),
    (dict(max_drop=0.5, precision='bf16'),
     '--max-drop is for int8, not bf16'),
    (dict(output='labels'), 'exported with --output logits'),
    (dict(dynamic=True), 'int8 is exported for one size'),
    (dict(format='onnx'), 'exported in fp32, not in int8'),
])
def test_what_cannot_be_quantised(small, tmp_path, options, message):
    with pytest.raises(DeploymentError, match=message):
        export(*small, out=tmp_path / 'out', **{**INT8, **options})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_images(small, tmp_path):
    folder = tmp_path / 'empty'
    folder.mkdir()
    (folder / 'notes.txt').write_text('none')
    with pytest.raises(DeploymentError, match='holds no images'):
        export(*small, out=tmp_path / 'out', calibration=folder, **INT8)
    (folder / 'broken.png').write_bytes(b'no picture')
    with pytest.raises(DeploymentError, match='broken.png is no readable'):
        export(*small, out=tmp_path / 'out', calibration=folder, **INT8)
    (folder / 'broken.png').unlink()
    write_huge_png(folder / 'huge.png')
    with pytest.raises(DeploymentError, match='huge.png is no readable'):
        export(*small, out=tmp_path / 'out', calibration=folder, **INT8)
    assert list(tmp_path.iterdir()) == [folder]


def test_data_that_is_not_there(with_data, small, tmp_path):
    cfg = Config.fromfile(with_data)
    for data in (cfg.val_dataloader.dataset,
                 cfg.train_dataloader.dataset.dataset):
        data.data_root = str(tmp_path / 'elsewhere')
    with pytest.raises(DeploymentError, match='data set is not there'):
        export(*small, out=tmp_path / 'out', calibration=cfg, **INT8)
    for kind in ('leftImg8bit', 'gtFine'):
        for split in ('train', 'val'):
            (tmp_path / 'elsewhere' / kind / split).mkdir(parents=True)
    with pytest.raises(DeploymentError, match='data set is empty: '):
        export(*small, out=tmp_path / 'out', calibration=cfg, **INT8)
    assert [path.name for path in tmp_path.iterdir()] == ['elsewhere']
