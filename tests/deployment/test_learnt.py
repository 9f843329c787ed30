"""What the networks of the package have learnt survives their export."""
import cv2
import numpy as np
import pytest

from rtseg_plugin.apis import Segmentor, VideoSession, load_segmentor
from rtseg_plugin.apis.deployed import DeployedNetwork
from rtseg_plugin.deployment.export import export
from rtseg_plugin.evaluation.metrics.video_metric import areas, mean_iou
from tests.builders import run_tool

pytest.importorskip('onnxscript')
SIZE = (256, 512)


@pytest.fixture(scope='module')
def streets(tmp_path_factory):
    """Six scenes, and the frames before two of them."""
    root = tmp_path_factory.mktemp('streets')
    done = run_tool('dataset_converters/synthetic_street.py', root, '--train',
                    '2', '--val', '6', '--jobs', '1', '--sequences')
    assert done.returncode == 0, done.stderr
    return root


def images(folder):
    return [cv2.imread(str(path)) for path in sorted(folder.rglob('*.png'))]


def miou(labels, truth):
    labels, truth = np.stack(labels), np.stack(truth)
    return mean_iou(areas(labels, truth, truth != 255, 19))


def same(labels, others):
    return float(np.mean([np.mean(a == b) for a, b in zip(labels, others)]))


# Rounding moves pixels where two classes are equally likely: it was one of
# 786432, and in INT8 1.4 % of them and 0.12 mIoU. The limits leave room for
# processors that round in another way, and for six scenes instead of 80.
@pytest.mark.slow
@pytest.mark.parametrize('format, precision, agree, drop', [
    ('onnx', 'fp32', 0.9999, 0.02),
    ('openvino', 'int8', 0.97, 1.),
])
def test_an_image_network(streets, tmp_path, format, precision, agree, drop):
    pytest.importorskip('nncf' if precision == 'int8' else 'onnxruntime')
    scenes = images(streets / 'leftImg8bit/val')
    calibration = None
    if precision == 'int8':
        calibration = tmp_path / 'scenes'
        calibration.mkdir()
        for i, scene in enumerate(scenes):
            cv2.imwrite(str(calibration / f'{i}.png'), scene)
    export('sctnet-s-street', out=tmp_path / 'out', format=format, size=SIZE,
           precision=precision, calibration=calibration)
    truth = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(
        (streets / 'gtFine/val').rglob('*labelTrainIds.png'))]
    found = [[result.labels for result in Segmentor(model).predict(scenes)]
             for model in ('sctnet-s-street', str(tmp_path / 'out'))]
    assert same(*found) > agree
    want, got = (miou(labels, truth) for labels in found)
    assert want > 25  # 40.13 on all 80 scenes
    assert got > want - drop


@pytest.mark.slow
@pytest.mark.parametrize('format', ['onnx', 'openvino'])
def test_a_network_that_remembers(streets, tmp_path, format):
    pytest.importorskip('openvino' if format == 'openvino' else 'onnxruntime')
    export('erfnet-memory-street', out=tmp_path / 'out', format=format,
           size=SIZE)
    frames = images(streets / 'leftImg8bit_sequence/train')[:12]
    session = VideoSession(load_segmentor('erfnet-memory-street'))
    want = [session.feed(frame).labels for frame in frames]
    network, state, got = DeployedNetwork(tmp_path / 'out'), None, []
    for frame in frames:
        labels, state = network.step(frame, state)
        got.append(labels)
    assert same(want, got) > 0.9999
    assert len(np.unique(want)) > 4
