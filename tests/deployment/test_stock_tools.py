"""MMSegmentation's names of exporters."""
import json

import numpy as np
import pytest
import torch

from rtseg_plugin.apis import LogitsNetwork, load_segmentor
from tests.builders import run_tool
from tests.deployment.conftest import CLASSES


def test_one_onnx_file(small, tmp_path):
    onnx = pytest.importorskip('onnx')
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    path = tmp_path / 'net.onnx'
    done = run_tool('deployment/pytorch2onnx.py', small[0], '--checkpoint',
                    small[1], '--verify', '--output-file', path)
    assert done.returncode == 0, done.stderr
    # the example's size is the config's
    assert 'largest difference at 64x96' in done.stdout
    assert 'largest difference at 96x192' in done.stdout
    assert done.stdout.count('of the largest logit, allowed 1e-03\n') == 2
    model = onnx.load(path)
    props = {p.key: p.value for p in model.metadata_props}
    assert json.loads(props['classes']) == CLASSES
    assert json.loads(props['palette'])[2] == [2, 2, 3]
    assert json.loads(props['std']) == [58.395, 57.12, 57.375]
    assert json.loads(props['channel_order']) == 'rgb'
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param for d in dims] == ['batch', '', 'height', 'width']
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    x = torch.randn(3, 3, 40, 72)
    network = LogitsNetwork(load_segmentor(*small))
    with torch.no_grad():
        want = network(x).numpy()
    got, = session.run(None, dict(image=x.numpy()))
    np.testing.assert_allclose(got, want, atol=1e-4 * np.abs(want).max())


def test_wrong_numbers_leave_no_file(small, tmp_path, monkeypatch):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    from rtseg_plugin.deployment import onnx_file
    plain = onnx_file.write_onnx

    def wrong(program, *args):
        program.state_dict['decode_head.conv_seg.bias'] += 1
        plain(program, *args)
        program.state_dict['decode_head.conv_seg.bias'] -= 1

    monkeypatch.setattr(onnx_file, 'write_onnx', wrong)
    done = run_tool('deployment/pytorch2onnx.py', small[0], '--checkpoint',
                    small[1], '--verify', '--output-file',
                    tmp_path / 'new/net.onnx')
    assert done.returncode == 1
    assert 'gives other numbers' in done.stderr
    assert list((tmp_path / 'new').iterdir()) == []


@pytest.mark.parametrize('name', ['onnx', 'torchscript'])
def test_a_size_under_the_least(small, tmp_path, name):
    pytest.importorskip('onnxruntime')
    done = run_tool(f'deployment/pytorch2{name}.py', small[0], '--shape', 8,
                    '--output-file', tmp_path / 'net')
    assert done.returncode == 1
    assert 'at least 9 pixels a side, got 8x8' in done.stderr


def test_torchscript_says_that_it_is_deprecated(small, tmp_path):
    done = run_tool('deployment/pytorch2torchscript.py', small[0],
                    '--checkpoint', small[1], '--verify', '--output-file',
                    tmp_path / 'net.pt', '--show')
    assert done.returncode == 0, done.stderr
    assert 'graph(%self' in done.stdout
    assert 'deprecates torch.jit.trace' in done.stdout
    assert '--format pt2' in done.stdout
    assert 'largest difference at 96x192' in done.stdout
    assert done.stdout.count('of the largest logit, allowed 1e-03\n') == 2
    assert (tmp_path / 'net.pt').exists()
