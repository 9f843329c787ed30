"""The demo, the picture of attention, and what the read is compared with."""
import importlib.util
import json

import cv2
import numpy as np
import pytest
import torch

from rtseg_plugin.apis import load_segmentor
from rtseg_plugin.models.layers import local_attention_reference
from tests import builders
from tests.apis.test_video_session import write_config


def load_tool(name):
    path = builders.ROOT / 'tools' / 'analysis_tools' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def scene(tmp_path_factory):
    """Config, checkpoint and a folder of frames."""
    root = tmp_path_factory.mktemp('scene')
    config = str(write_config(root / 'config.py'))
    torch.manual_seed(0)
    model = load_segmentor(config)
    torch.save(dict(state_dict=model.state_dict()), root / 'model.pth')
    frames = root / 'frames'
    frames.mkdir()
    rng = np.random.default_rng(0)
    for i in range(4):
        cv2.imwrite(
            str(frames / f'{i}.png'),
            rng.integers(0, 256, (64, 96, 3), np.uint8))
    return config, str(root / 'model.pth'), str(frames)


def test_demo(scene, tmp_path):
    config, checkpoint, frames = scene
    done = builders.run_tool('video_demo.py', frames, '--config', config,
                             '--checkpoint', checkpoint, '--out', tmp_path,
                             '--warm-up', 1, '--device', 'cpu')
    assert done.returncode == 0, done.stderr
    assert '4 frames, 0 of them bad' in done.stdout
    assert 'no checkpoint' not in done.stdout
    with open(tmp_path / 'frames_latency.json') as file:
        report = json.load(file)
    assert report['measured_frames'] == 3
    assert (tmp_path / 'frames_overlay.mp4').stat().st_size > 0
    done = builders.run_tool('video_demo.py', 'absent', '--config', config)
    assert done.returncode == 1
    assert 'no folder, no file' in done.stderr
    done = builders.run_tool(
        'video_demo.py', frames, '--config',
        'sctnet-s-seg50_2xb8-160k_cityscapes-512x1024.py')
    assert done.returncode == 1
    assert 'VideoEncoderDecoder' in done.stderr


def test_picture_of_attention(scene, tmp_path):
    config, checkpoint, frames = scene
    out = tmp_path / 'attention.png'
    done = builders.run_tool(
        'analysis_tools/visualize_memory.py', config, checkpoint, frames,
        '--pixels', '30,40', '0,95', '--width', 60, '--out', out)
    assert done.returncode == 0, done.stderr
    assert '2 pixels over 2 past frames' in done.stdout
    # two rows; the memory of two frames, and the frame itself
    assert cv2.imread(str(out)).shape == (2 * 40, 3 * 60, 3)
    done = builders.run_tool('analysis_tools/visualize_memory.py', config,
                             checkpoint, frames, '--pixels', '64,0')
    assert done.returncode == 1
    assert 'outside of the 64x96 frame' in done.stderr


def test_attention_maps_are_where_the_window_is(scene):
    config, checkpoint, frames = scene
    tool = load_tool('visualize_memory')
    model = load_segmentor(config, checkpoint)
    images = [cv2.imread(f'{frames}/{i}.png') for i in range(3)]
    # at 1/8 of 32x48 the feature is 4x6, pixel 30,40 of 64x96 is 1,2 in it
    maps = tool.attention_maps(model, images, (32, 48), [(30, 40), (0, 0)])
    assert maps.shape == (2, 2, 4, 6)
    inside = np.zeros((4, 6), bool)
    inside[0:3, 1:4] = True
    assert (maps[0][:, inside] > 0).all()
    assert (maps[0][:, ~inside] == 0).all()
    np.testing.assert_allclose(maps[0].sum(), 1, rtol=1e-5)
    # in the corner a part falls outside
    assert (maps[1][:, :2, :2] > 0).all()
    assert maps[1].sum() < 1


def test_benchmark_compares_equal_things():
    tool = load_tool('local_attention_benchmark')
    tensors = tool.inputs(
        dict(key=3, value=4, size=(5, 7), frames=2), 'cpu', False)
    want = local_attention_reference(*tensors, 3)
    for method in tool.METHODS.values():
        torch.testing.assert_close(
            method(*tensors, 3), want, rtol=1e-5, atol=1e-5)
