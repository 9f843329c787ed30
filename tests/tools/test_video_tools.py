"""The demo, the picture of attention, and tools of images on video."""
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
    assert 'ended: last file' in done.stdout
    assert 'no checkpoint' not in done.stdout
    with open(tmp_path / 'frames_latency.json') as file:
        report = json.load(file)
    assert report['measured_frames'] == 3
    assert (tmp_path / 'frames_overlay.mp4').stat().st_size > 0


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


def test_exporters_of_images_refuse_what_remembers(scene, tmp_path):
    config, checkpoint, _ = scene
    for script in ('pytorch2torchscript.py', 'pytorch2onnx.py'):
        done = builders.run_tool(
            f'deployment/{script}', config, '--checkpoint', checkpoint,
            '--shape', 32, 48, '--output-file', tmp_path / 'net')
        assert done.returncode == 1
        assert 'remembers frames' in done.stderr
        assert 'tools/deployment/export.py' in done.stderr
        assert not (tmp_path / 'net').exists()


def test_browse_a_data_set_of_clips(tmp_path):
    """Frames of one grey each; the last has sky above and void below."""
    name = 'town/town_000000_{:06d}'
    for kind in ('leftImg8bit_sequence', 'gtFine'):
        (tmp_path / f'data/{kind}/train/town').mkdir(parents=True)
    for number in range(15, 20):
        cv2.imwrite(
            str(tmp_path / 'data/leftImg8bit_sequence/train' /
                f'{name.format(number)}_leftImg8bit.png'),
            np.full((32, 64, 3), 200 if number == 19 else 10 * (number - 14),
                    np.uint8))
    label = np.full((32, 64), 255, np.uint8)
    label[:16] = 10
    cv2.imwrite(
        str(tmp_path / 'data/gtFine/train' /
            f'{name.format(19)}_gtFine_labelTrainIds.png'), label)
    done = builders.run_tool(
        'analysis_tools/browse_dataset.py',
        'lmanet-erfnet-s4-r21_stage1_2xb5-50e_cityscapes-512x1024',
        '--not-show', '--output-dir', tmp_path / 'out', '--cfg-options',
        f'train_dataloader.dataset.data_root={tmp_path}/data',
        # no draw: a shift leaves a border
        'train_dataloader.dataset.pipeline.2.transforms.2.max_shift=0',
        'visualizer.alpha=0.5')
    assert done.returncode == 0, done.stderr
    picture, = (tmp_path / 'out').iterdir()
    assert picture.name == '000000_town_000000_000019_leftImg8bit.png'
    picture = cv2.imread(str(picture))
    assert picture.shape == (512, 1024, 3)
    # half of the frame and half of the colour, of which void has none
    np.testing.assert_allclose(picture[300:, 10:-10], 100, atol=10)
    sky = np.median(picture[10:240].reshape(-1, 3), 0)
    np.testing.assert_allclose(
        sky, 100 + np.array([180, 130, 70]) / 2, atol=10)


def test_benchmark_without_data_fills_the_memory(scene, tmp_path):
    config, _, _ = scene
    done = builders.run_tool(
        'analysis_tools/benchmark.py', config, '--shape', 32, 48,
        '--iterations', 2, '--warmup', 1, '--work-dir', tmp_path, '--device',
        'cpu', '--cfg-options', 'test_dataloader.dataset.data_root=absent')
    assert done.returncode == 0, done.stderr
    report = json.loads(next(tmp_path.glob('*.json')).read_text())
    # two frames to remember and one that reads them
    assert report['predict'][0]['shape'] == [1, 3, 3, 32, 48]
    assert report['predict'][0]['source'] == 'random clip'
    assert report['network'][0]['shape'] == [1, 3, 32, 48]
