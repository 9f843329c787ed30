"""MMDeploy's stock route on the image networks, where it is installed.

What its ``tools/deploy.py`` does for onnxruntime, by its API: the wheel has
no tools. It does not install beside the pinned onnx and protobuf; how to have
it all the same is in docs/deploy.md.
"""
import functools

import cv2
import numpy as np
import pytest
import torch

from rtseg_plugin.apis import load_segmentor
from tests.builders import CONFIGS

pytest.importorskip('mmdeploy')
onnxruntime = pytest.importorskip('onnxruntime')

SIZE = (128, 256)
DEPLOY = dict(
    onnx_config=dict(
        type='onnx', export_params=True, keep_initializers_as_inputs=False,
        opset_version=17, save_file='end2end.onnx', input_names=['input'],
        output_names=['output'], input_shape=SIZE[::-1], optimize=False),
    codebase_config=dict(
        type='mmseg', task='Segmentation', with_argmax=False),
    backend_config=dict(type='onnxruntime'))


@pytest.mark.parametrize('name', [
    'sctnet/sctnet-s-plain_1xb8-1k_synthetic-street-256x512.py',
    'rtformer/rtformer-slim_1xb4-demo_synthetic-street-256x512.py',
    'fanet/fanet-18_1xb4-demo_synthetic-street-256x512.py',
    'gain/gain-r18_1xb4-demo_synthetic-street-256x512.py',
])
def test_stock_route(tmp_path, name, monkeypatch):
    from mmdeploy.apis import torch2onnx
    from mmengine.config import Config

    # MMDeploy rewrites functions for the exporter that traces
    monkeypatch.setattr(
        torch.onnx, 'export',
        functools.partial(torch.onnx.export, dynamo=False))
    torch.manual_seed(0)
    model = load_segmentor(str(CONFIGS / name))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'model.pth')
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    cv2.imwrite(str(tmp_path / 'image.png'), image)
    torch2onnx(
        str(tmp_path / 'image.png'), str(tmp_path), 'end2end.onnx',
        Config(DEPLOY), Config.fromfile(CONFIGS / name),
        str(tmp_path / 'model.pth'), device='cpu')
    session = onnxruntime.InferenceSession(
        str(tmp_path / 'end2end.onnx'), providers=['CPUExecutionProvider'])
    x = torch.randn(1, 3, *SIZE)
    logits, = session.run(None, dict(input=x.numpy()))
    with torch.no_grad():
        want = model.encode_decode(x, [dict(img_shape=SIZE)]).numpy()
    np.testing.assert_allclose(logits, want, atol=1e-4 * np.abs(want).max())
