"""The command: what it writes, and what a signal leaves."""
import json
import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from tests import builders
from tests.apis.test_segmentor import read, write_clip
from tests.apis.test_video_session import video, write_config
from tests.tools.test_terminal import OnATerminal


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    return str(write_config(tmp_path_factory.mktemp('config') / 'config.py'))


def test_image_pattern_and_errors(config, tmp_path):
    for i, frame in enumerate(video(0, 3, (64, 96))):
        cv2.imwrite(str(tmp_path / f'{i}.png'), frame)
    done = builders.run_tool(
        'predict.py', tmp_path / '[0-1].png', '--model', config, '--out',
        tmp_path / 'out', '--save', 'both', '--device', 'cpu')
    assert done.returncode == 0, done.stderr
    assert '2 frames, 0 of them bad' in done.stdout
    assert 'ended: last file' in done.stdout
    assert 'labels are those of random weights' in done.stdout
    assert 'colours are made up' in done.stdout
    assert '2/2' in done.stderr
    names = {str(p.relative_to(tmp_path / 'out'))
             for p in (tmp_path / 'out').rglob('*.*')}
    assert names == {
        'images_latency.json', 'images_overlay/0.png', 'images_overlay/1.png',
        'images_labels/0.png', 'images_labels/1.png'}
    done = builders.run_tool('predict.py', 'absent', '--model', config)
    assert done.returncode == 1
    assert 'error: absent is no folder, no file' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('number', [
    pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_signal_leaves_whole_files(config, tmp_path, number):
    """A film that plays and a complete report, up to the signal."""
    clip = write_clip(tmp_path / 'clip.mp4', video(0, 12, (64, 96)) * 400, 25)
    command = [
        sys.executable, str(builders.ROOT / 'tools' / 'predict.py'), clip,
        '--model', config, '--out', str(tmp_path / 'out'), '--device', 'cpu']
    with subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=dict(os.environ, OMP_NUM_THREADS='1')) as process:
        film = tmp_path / 'out' / 'clip_overlay.part.mp4'
        while not film.exists() and process.poll() is None:
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(number)
        out, err = process.communicate(timeout=100)
    assert process.returncode == 128 + number, err
    assert 'Traceback' not in err
    assert 'ended: interrupted' in out
    report = json.loads((tmp_path / 'out/clip_latency.json').read_text())
    assert 1 <= report['frames'] < 4800
    assert len(report['per_frame_ms']) == report['frames']
    assert report['announced_frames'] == 4800
    assert report['ended'] == 'interrupted'
    # drawn a few frames later than segmented, and all of them
    assert len(read(tmp_path / 'out/clip_overlay.mp4')) == report['frames']
    assert not list((tmp_path / 'out').glob('*.part*'))


@pytest.mark.slow
def test_ctrl_c_under_mim_leaves_whole_files(config, tmp_path):
    """``mim run`` itself, with drawing left to do."""
    # as many pixels as make the end longer than mim waits
    clip = write_clip(
        tmp_path / 'clip.mp4', video(0, 6, (1080, 1920)) * 40, 25)
    run = OnATerminal([
        sys.executable, '-m', 'mim', 'run', 'rtseg_plugin', 'predict', clip,
        '--model', config, '--out', tmp_path / 'out', '--device', 'cpu'])
    run.wait_for((tmp_path / 'out/clip_overlay.part.mp4').exists)
    time.sleep(1)
    run.type(b'\x03')
    run.wait()
    assert 'ended: interrupted' in run.said
    report = json.loads((tmp_path / 'out/clip_latency.json').read_text())
    assert 1 <= report['frames'] < 240
    assert len(read(tmp_path / 'out/clip_overlay.mp4')) == report['frames']
    assert not list((tmp_path / 'out').glob('*.part*'))


@pytest.mark.parametrize('options,says', [
    (('--threads', -1), '--threads must be at least 1, got -1'),
    (('--opacity', -3), '--opacity is from 0 to 1, got -3.0'),
    (('--warm-up', -1), '--warm-up cannot be negative, got -1'),
    (('--timeout', -1), '--timeout must be above 0, got -1.0'),
    (('--reconnect', -3), '--reconnect cannot be negative, got -3'),
    (('--video', '--save', 'labels'), '--video is of overlays'),
    *((('--engine', 'ray', *option), f'{option[0]} is for streams')
      for option in (('--hwaccel', 'cuda'), ('--on-bad-frame', 'skip'),
                     ('--live', 'all'), ('--warm-up', 1), ('--timeout', 1),
                     ('--reconnect', 1))),
])
def test_what_has_no_meaning_is_refused(options, says):
    done = builders.run_tool('predict.py', 'a.mp4', '--model', 'any', *options)
    assert done.returncode == 2
    assert f'error: {says}' in done.stderr


def test_what_cannot_be_written_leaves_the_rest_and_the_terminal(config,
                                                                 tmp_path):
    """It is known when the last picture is drawn, behind the loop."""
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((64, 96, 3), 'u1'))
    (tmp_path / 'out/a_overlay.png').mkdir(parents=True)
    before = signal.getsignal(signal.SIGINT)
    done = builders.run_tool('predict.py', tmp_path / 'a.png', '--model',
                             config, '--out', tmp_path / 'out', '--device',
                             'cpu')
    after = signal.signal(signal.SIGINT, before)
    assert after is before
    assert done.returncode == 1
    assert 'error: [Errno 21] Is a directory' in done.stderr
    assert 'a.png: 1 frames, 0 of them bad' in done.stdout
    report = json.loads((tmp_path / 'out/a_latency.json').read_text())
    assert report['frames'] == 1


def test_a_device_that_is_not_there(config, tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((64, 96, 3), 'u1'))
    done = builders.run_tool('predict.py', tmp_path / 'a.png', '--model',
                             config, '--device', 'cuda:99')
    assert done.returncode == 1
    assert "error: there is no device 'cuda:99', of " in done.stderr


def test_a_change_of_size_leaves_whole_files(config, tmp_path):
    """Of a network with memory, for which that is an error."""
    frames = tmp_path / 'frames'
    frames.mkdir()
    for i, size in enumerate([(64, 96)] * 3 + [(64, 80)]):
        cv2.imwrite(str(frames / f'{i}.png'), np.full((*size, 3), 99, 'u1'))
    done = builders.run_tool(
        'video_demo.py', frames, '--config', config, '--out',
        tmp_path / 'out', '--device', 'cpu')
    assert done.returncode == 1
    assert 'error: frame 3 is 64x80, the stream began with 64x96' in (
        done.stderr)
    assert 'ended: error: frame 3 is 64x80' in done.stdout
    report = json.loads((tmp_path / 'out/frames_latency.json').read_text())
    assert report['frames'] == len(report['per_frame_ms']) == 3
    assert report['ended'].startswith('error: frame 3')
    assert len(read(tmp_path / 'out/frames_overlay.mp4')) == 3
