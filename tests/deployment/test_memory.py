"""Networks that remember: one graph from the first frame of a stream on."""
import json

import numpy as np
import pytest
import torch

from rtseg_plugin.apis import VideoSession, load_segmentor
from rtseg_plugin.apis.deployed import DeployedNetwork
from rtseg_plugin.deployment.compare import compare_stream, example_frame
from rtseg_plugin.deployment.export import export
from rtseg_plugin.models.necks import (
    LocalMemoryAttention,
    TemporalFastAttentionNeck,
)
from rtseg_plugin.utils.deployed_folder import DeploymentError
from tests.deployment.conftest import CONFIG, SIZE, frame, write_model

NECKS = dict(
    local=lambda: LocalMemoryAttention(8, 4, 6, memory_size=3, window_size=5),
    constant=lambda: LocalMemoryAttention(
        8, 4, 6, memory_size=3, window_size=3, learnable_constant=True),
    everywhere=lambda: LocalMemoryAttention(
        8, 4, 6, memory_size=3, window_size=None),
    one=lambda: LocalMemoryAttention(8, 4, 6, memory_size=1, window_size=5),
    as_they_are=lambda: LocalMemoryAttention(
        8, 4, None, memory_size=2, window_size=5),
    several=lambda: LocalMemoryAttention(
        8, 4, 6, memory_size=2, window_size=5, in_index=1),
    fast=lambda: TemporalFastAttentionNeck(
        4, in_channels=(8, 8), out_channels=8, out_indices=(0, 1)),
)


@pytest.mark.parametrize('name', NECKS)
def test_constant_shapes_change_nothing(name):
    torch.manual_seed(0)
    neck = NECKS[name]().double().eval()
    shapes = [(2, 8, 10, 13), (2, 8, 5, 7)]
    stream = [[torch.randn(shape, dtype=torch.float64) for shape in shapes]
              for _ in range(6)]
    if name not in ('several', 'fast'):
        stream = [features[0] for features in stream]
    with torch.no_grad():
        fixed, state = neck.empty_state(stream[0]), None
        shape = [x.shape for x in fixed]
        for features in stream:
            want, state = neck(features, state)
            got, fixed = neck.fixed_step(features, fixed)
            torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-9)
            assert [x.shape for x in fixed] == shape
    if name != 'fast':  # channels last
        fixed = [fixed[0].permute(0, 1, 4, 2, 3)]
    torch.testing.assert_close(fixed[0], state[0])


NECK = """    neck=dict(
        type='LocalMemoryAttention', key_channels=4, value_channels=8,
        memory_size=3, window_size=5),
"""
VIDEO = CONFIG.replace("'EncoderDecoder'", "'VideoEncoderDecoder'").replace(
    '    decode_head=', f'{NECK}    decode_head=')


@pytest.fixture(scope='module')
def small_video(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp('video'), VIDEO)


@pytest.mark.parametrize('kind', ['onnx', 'openvino', 'pt2'])
def test_a_stream_gives_what_a_session_gives(small_video, tmp_path, kind):
    pytest.importorskip(dict(onnx='onnxruntime', pt2='torch').get(kind, kind))
    pytest.importorskip('onnxscript')
    export(*small_video, out=tmp_path / 'out', format=kind)
    deployed = DeployedNetwork(tmp_path / 'out', threads=1)
    assert deployed.stateful
    metadata = json.loads((tmp_path / 'out/metadata.json').read_text())
    assert [(f['name'], f['shape'], f['dtype']) for f in metadata['state']
            ] == [('keys', [1, 3, 8, 12, 4], 'float32'),
                  ('values', [1, 3, 8, 12, 8], 'float32'),
                  ('frames', [1], 'int64')]
    model = load_segmentor(*small_video)
    frames = [example_frame(*SIZE, seed=i) for i in range(30)]
    assert compare_stream(deployed, model, frames).difference < 1e-4
    # two interleaved streams, against two sessions
    sessions = [VideoSession(model), VideoSession(model)]
    states, seen = [None, None], set()
    for index in range(10):
        for i, session in enumerate(sessions):
            image = frame(100 * i + index)
            labels, states[i] = deployed.step(image, states[i])
            want = session.feed(image).labels
            assert (labels != want).mean() < 1e-3
            seen.update(np.unique(want))
    assert len(seen) > 2
    assert int(states[0].frames[0]) == 3


def test_a_neck_without_its_fixed_form(small_video, tmp_path, monkeypatch):
    monkeypatch.delattr(LocalMemoryAttention, 'fixed_step')
    with pytest.raises(DeploymentError, match='remembers frames and cannot'):
        export(*small_video, out=tmp_path / 'out')
    assert list(tmp_path.iterdir()) == []


def test_free_sizes_are_refused(small_video, tmp_path):
    with pytest.raises(DeploymentError, match='frames of one size.*--size'):
        export(*small_video, out=tmp_path / 'out', dynamic=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['onnx', 'openvino'])
@pytest.mark.parametrize('config', [
    'lmanet-erfnet-s4-r21_stage2_1xb4-demo_synthetic-street-128x256',
    'sctnet-s-lma_stage1_1xb2-demo_synthetic-street-256x512',
    'fanet-18-t2_1xb4-demo_synthetic-street-256x512',
])
def test_recipes_over_thirty_frames(tmp_path, config, kind):
    pytest.importorskip(dict(onnx='onnxruntime').get(kind, kind))
    pytest.importorskip('onnxscript')
    size = (128, 192)
    model = load_segmentor(config)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'x.pth')
    export(config, str(tmp_path / 'x.pth'), out=tmp_path / 'out',
           format=kind, size=size)
    deployed = DeployedNetwork(tmp_path / 'out', threads=2)
    frames = [example_frame(*size, seed=i) for i in range(30)]
    assert compare_stream(deployed, model, frames).difference < 1e-4
