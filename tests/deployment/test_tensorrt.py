"""TensorRT: what can be said without a GPU, and an engine where is one."""
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from rtseg_plugin.apis.deployed import DeployedNetwork
from rtseg_plugin.deployment import export as module
from rtseg_plugin.utils.deployed_folder import DeploymentError
from tests.builders import run_tool
from tests.deployment.conftest import SIZE, frame
from tests.deployment.test_memory import small_video  # noqa: F401

pytest.importorskip('onnxscript')
ENGINE = dict(format='tensorrt')


@pytest.fixture
def fake(monkeypatch):
    """A module of that name, with a version and nothing else."""
    tensorrt = ModuleType('tensorrt')
    tensorrt.__version__ = '11.4.0'
    monkeypatch.setitem(sys.modules, 'tensorrt', tensorrt)
    return tensorrt


def test_without_the_package_it_is_one_line(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorrt', None)
    done = run_tool('deployment/export.py', *small, '--format', 'tensorrt',
                    '--out', tmp_path / 'out')
    assert done.returncode == 1
    last = done.stderr.strip().split('\n')[-1]
    assert last.startswith('error: tensorrt cannot be imported')
    assert "pip install 'tensorrt'" in last
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_built_is_refused(small, tmp_path, fake, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    for options, message in (
            (dict(), 'needs an NVIDIA GPU'),
            (dict(dynamic=True), 'engine is of one size'),
            (dict(precision='int8'), 'not in int8; --format openvino is')):
        with pytest.raises(DeploymentError, match=message):
            module.export(*small, out=tmp_path / 'out', **ENGINE, **options)
    fake.__version__ = '10.14.1'
    with pytest.raises(DeploymentError, match='10.14.1 is too old'):
        module.export(*small, out=tmp_path / 'out', **ENGINE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('kind', ['small', 'small_video'])
def test_what_the_builder_gets(request, kind, tmp_path, monkeypatch):
    """One ONNX file of one size, which computes what eager does."""
    onnxruntime = pytest.importorskip('onnxruntime')
    seen = {}

    def build(graph, path):
        session = onnxruntime.InferenceSession(
            str(graph), providers=['CPUExecutionProvider'])
        seen.update({x.name: x.shape for x in session.get_inputs()})
        seen['session'] = session
        raise DeploymentError('far enough')

    monkeypatch.setattr(module, 'build_engine', build)
    monkeypatch.setattr(module, 'need_tensorrt', lambda: None)
    # nothing of that name may be imported: PyTorch asks for its origin
    monkeypatch.setattr(module, 'need', lambda name, *others, **more:
                        SimpleNamespace(__version__='11.4.0'))
    model = request.getfixturevalue(kind)
    with pytest.raises(DeploymentError, match='far enough'):
        module.export(*model, out=tmp_path / 'out', **ENGINE)
    assert list(tmp_path.iterdir()) == []
    assert seen['image'] == [1, 3, *SIZE]
    assert ('frames' in seen) == (kind == 'small_video')
    if kind == 'small':
        segmentor = module.load_source(*model).segmentor
        x = torch.randn(1, 3, *SIZE)
        with torch.no_grad():
            want = segmentor(x, mode='tensor').numpy()
        got, = seen['session'].run(None, dict(image=x.numpy()))
        np.testing.assert_allclose(got, want, atol=1e-4 * np.abs(want).max())


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('kind', ['small', 'small_video'])
def test_an_engine_runs(request, kind, tmp_path):
    """The export itself compares it with eager."""
    pytest.importorskip('tensorrt')
    model = request.getfixturevalue(kind)
    module.export(*model, out=tmp_path / 'out', raw_input=True, **ENGINE)
    network, state = DeployedNetwork(tmp_path / 'out'), None
    for index in range(4):
        labels, state = network.step(frame(index), state)
        assert labels.shape == SIZE
