"""A deployed folder behind the same door: numbers, sizes, what is refused."""
import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from rtseg_plugin.apis import Segmentor, VideoSession, feed_together
from rtseg_plugin.apis.deployed import DeployedNetwork, DeploymentError
from rtseg_plugin.deployment.export import export
from rtseg_plugin.utils.deployed_folder import METADATA, write_metadata
from tests.builders import run_tool
from tests.deployment.conftest import CLASSES, CONFIG, SIZE, write_model
from tests.deployment.test_memory import VIDEO

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')


@pytest.fixture(scope='module', params=['image', 'memory'])
def trained(request, tmp_path_factory):
    """Paths of a config and a checkpoint."""
    return write_model(tmp_path_factory.mktemp(request.param),
                       CONFIG if request.param == 'image' else VIDEO)


@pytest.fixture(scope='module')
def pair(trained, tmp_path_factory):
    """A segmentor of a config, and of the folder exported from it."""
    folder = tmp_path_factory.mktemp('exported') / 'out'
    export(*trained, out=folder, format='onnx')
    return (Segmentor(*trained, device='cpu', size=SIZE),
            Segmentor(folder, threads=1))


@pytest.fixture(scope='module')
def clip():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (8, 80, 120, 3), np.uint8)


def test_the_folder_gives_what_the_config_gives(pair, clip):
    """Frames of another size are resized, labels resized back."""
    eager, deployed = pair
    assert deployed.size == SIZE
    assert deployed.classes == eager.classes == CLASSES
    assert deployed.network.stateful == eager.network.stateful
    results = list(deployed.predict(clip))
    for one, other in zip(results, eager.predict(clip)):
        assert one.labels.shape == (80, 120)
        # where two classes are all but equal, rounding decides
        assert (one.labels != other.labels).mean() < 2e-3
        np.testing.assert_array_equal(one.colours, other.colours)
    assert len(results) == 8
    session = VideoSession(deployed.network)
    for frame, want in zip(clip, results):
        np.testing.assert_array_equal(session.feed(frame).labels, want.labels)


def test_streams_of_a_folder_do_not_mix(pair, clip):
    _, deployed = pair
    alone = [[r.labels for r in deployed.predict(frames)]
             for frames in (clip, clip[::-1])]
    sessions = [deployed.session(), deployed.session()]
    for i in range(8):
        results = feed_together(sessions, [clip[i], clip[::-1][i]])
        for one, want in zip(results, (alone[0][i], alone[1][i])):
            np.testing.assert_array_equal(one.labels, want)


def test_facts_and_refusals(pair):
    _, deployed = pair
    folder = deployed.model
    facts = deployed.facts()
    assert facts['backend'] == 'onnx'
    assert facts['precision'] == 'fp32'
    assert facts['device'] == 'cpu'
    assert facts['threads'] == 1
    assert deployed.network.num_classes == len(CLASSES)
    with pytest.raises(ValueError, match='was made for 64x96, not for 32x48'):
        Segmentor(folder, size=(32, 48))
    with pytest.raises(ValueError, match='holds its weights'):
        Segmentor(folder, 'a.pth')
    with pytest.raises(ValueError, match="precision 'fp32', not for 'bf16'"):
        Segmentor(folder, precision='bf16')
    with pytest.raises(ValueError, match="'onnx', not for 'openvino'"):
        Segmentor(folder, backend='openvino')
    with pytest.raises(ValueError, match="'cpu', not for 'cuda'"):
        Segmentor(folder, device='cuda')


def test_what_onnxruntime_refuses_is_one_line(pair, tmp_path):
    """Its errors are of no class but Exception."""
    import onnx
    folder = shutil.copytree(pair[1].model, tmp_path / 'newer')
    metadata = json.loads((folder / METADATA).read_text())
    path = folder / metadata['model']
    model = onnx.load(path)
    model.ir_version = 99  # as of an onnx that onnxruntime does not know
    onnx.save(model, path)
    write_metadata(folder, metadata)
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((*SIZE, 3), 'u1'))
    done = run_tool('predict.py', tmp_path / 'a.png', '--model', folder)
    assert done.returncode == 1
    assert done.stderr.startswith('error: onnxruntime 1.')
    assert f'cannot open {path} ([ONNXRuntimeError]' in done.stderr
    assert 'IR version: 99' in done.stderr
    assert 'install a newer one, or export the model again' in done.stderr
    assert len(done.stderr.splitlines()) == 1
    network = pair[1].network
    image = network.prepare(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DeploymentError, match='cannot run .*Got invalid dim'
                       '.*Expected: 64') as error:
        network.run_prepared(image)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('format', ['onnx', 'openvino'])
def test_a_session_of_a_folder_needs_no_torch(trained, pair, tmp_path,
                                              format):
    folder = pair[1].model
    if format == 'openvino':
        pytest.importorskip('openvino')
        folder = tmp_path / 'out'
        export(*trained, out=folder, format='openvino')
    code = f"""
import sys
from rtseg_plugin.apis.deployed import DeployedNetwork
from rtseg_plugin.apis import Segmentor, VideoSession
import numpy as np
frame = np.zeros((80, 120, 3), np.uint8)
labels = VideoSession(DeployedNetwork({str(folder)!r}, 1)).feed(frame).labels
result = next(Segmentor({str(folder)!r}, threads=1).predict(frame))
assert (result.labels == labels).all() and labels.shape == (80, 120)
heavy = {{'torch', 'mmseg', 'mmengine', 'mmcv'}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


def test_a_deployed_network_is_a_session_too(pair, clip):
    network = DeployedNetwork(pair[1].model, threads=1)
    result = VideoSession(network).feed(clip[0])
    assert result.labels.shape == (80, 120)
    assert result.overlay().shape == clip[0].shape


@pytest.fixture(scope='module')
def resizing(tmp_path_factory):
    """A config with this ``Resize`` in its tests, and a folder of it."""

    def make(resize, **options):
        root = tmp_path_factory.mktemp('resizing')
        pipeline = f"test_pipeline = [dict(type='Resize', {resize})]\n"
        trained = write_model(root, CONFIG + pipeline)
        export(*trained, out=root / 'out', format='onnx', **options)
        return Segmentor(*trained, device='cpu'), root / 'out'

    return make


@pytest.fixture(scope='module')
def free(resizing):
    return resizing('scale=(96, 64), keep_ratio=True', dynamic=True)


@pytest.fixture(scope='module')
def pillow(resizing):
    return resizing("scale=(96, 64), backend='pillow'")


def agree(one, other):
    """Where two classes are all but equal, rounding decides."""
    return one.shape == other.shape and (one != other).mean() < 2e-3


def test_a_folder_of_free_sizes_keeps_the_ratio(free, clip):
    eager, folder = free
    deployed = Segmentor(folder, threads=1)
    wide = clip[0][:60]  # 1:2, not 2:3
    assert deployed.size is None
    assert deployed.work_size(wide) == eager.work_size(wide) == (48, 96)
    one, = deployed.predict(wide)
    other, = eager.predict(wide)
    assert agree(one.labels, other.labels)
    own = VideoSession(deployed.network).feed(wide)  # as it comes
    assert not agree(own.labels, other.labels)


def test_a_size_of_the_user_wins(free, clip):
    assert Segmentor(free[1], size=(32, 80)).work_size(clip[0]) == (32, 80)


def test_a_folder_resizes_with_what_the_config_does(pillow, clip):
    eager, folder = pillow
    deployed = Segmentor(folder, threads=1)
    assert deployed.size == SIZE
    for one, other in zip(deployed.predict(clip), eager.predict(clip)):
        assert agree(one.labels, other.labels)
    plain = deployed.session(backend='cv2').feed(clip[0])
    assert not agree(plain.labels, eager.session().feed(clip[0]).labels)


def test_pillow_without_torch(pillow):
    code = f"""
import sys
from rtseg_plugin.apis import Segmentor
import numpy as np
segmentor = Segmentor({str(pillow[1])!r}, threads=1)
next(segmentor.predict(np.zeros((80, 120, 3), np.uint8)))
assert 'PIL' in sys.modules
heavy = {{'torch', 'mmseg', 'mmengine', 'mmcv'}} & set(sys.modules)
assert not heavy, heavy
sys.modules['PIL'] = None
Segmentor({str(pillow[1])!r})
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True,
                          text=True)
    last = done.stderr.splitlines()[-1]
    assert 'PIL cannot be imported' in last, done.stderr
    assert "pip install 'pillow'" in last


def test_an_older_folder_says_nothing_of_it(free, clip, tmp_path):
    """It works at the size of the frame, as it did."""
    folder = shutil.copytree(free[1], tmp_path / 'old')
    metadata = json.loads((folder / METADATA).read_text())
    assert metadata.pop('resize')['keep_ratio'] is True
    (folder / METADATA).write_text(json.dumps(metadata))
    old = Segmentor(folder, threads=1)
    assert old.work_size(clip[0]) == (80, 120)
    assert (old.interpolation, old.resize_backend) == ('bilinear', 'cv2')
