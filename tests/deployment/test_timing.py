"""Timing in turns, and the tools on top of it. No time is asserted."""
import json
import time

import numpy as np
import pytest

from rtseg_plugin.apis.deployed import DeployedNetwork
from rtseg_plugin.deployment import timing
from rtseg_plugin.deployment.export import export
from rtseg_plugin.utils.deployed_folder import DeploymentError
from tests.builders import run_tool
from tests.deployment.conftest import SIZE

SETTING = timing.Setting(SIZE, 1)


def sleeper(name, setting=SETTING, log=None, seconds=0.):

    def run():
        log.append(name)
        time.sleep(seconds)

    return timing.Contender(name, run, 1, setting, {})


def test_turns_are_taken():
    log = []
    both = [sleeper(name, log=log) for name in 'ab']
    seconds = timing.time_in_turns(both, rounds=3, warmup=1)
    assert seconds.shape == (3, 2)
    assert ''.join(log) == 'abababab'


def test_ratios_are_of_the_same_turn():
    """A machine that slows down by ten does not change them."""
    both = [sleeper(name, log=[]) for name in 'ab']
    seconds = np.array([[1., 2.], [10., 20.], [1., 2.5]])
    first, second = timing.summarise(both, seconds)
    assert first['ratio'] == first['ratio_p90'] == 1
    assert second['ratio'] == 2
    assert second['ms'] == 2500
    assert 2.3 < second['ratio_p90'] < 2.5
    assert '| b | 2500.0 |' in timing.table([first, second])


@pytest.mark.parametrize('other', [
    dict(size=(32, 32)), dict(threads=2), dict(mode='pipeline'),
    dict(output='logits')
])
def test_unlike_things_are_not_compared(other):
    log = []
    both = [sleeper('a', log=log),
            sleeper('b', SETTING._replace(**other), log=log)]
    with pytest.raises(DeploymentError, match=f'differ in {list(other)[0]}'):
        timing.time_in_turns(both)
    assert log == []


def test_what_is_timed_gives_the_same_labels(small, tmp_path):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    export(*small, out=tmp_path / 'out')
    image = timing.example_frame(*SIZE)
    want, _ = DeployedNetwork(tmp_path / 'out', 1).step(image)
    for mode in ('network', 'pipeline'):
        setting = SETTING._replace(mode=mode)
        runs = [
            timing.deployed_contender(tmp_path / 'out', setting),
            timing.torch_contender(*small, setting, 'plain'),
            timing.torch_contender(*small, setting, 'inference')
        ]
        for contender in runs:
            labels = np.asarray(contender.run()).reshape(SIZE)
            assert (labels != want).mean() < 1e-3, contender.name
    with pytest.raises(DeploymentError, match='is for .64, 96., not for'):
        timing.deployed_contender(tmp_path / 'out',
                                  SETTING._replace(size=(32, 32)))


def test_a_stream_is_timed_by_the_frame(small):
    pytest.importorskip('av')
    contender = timing.torch_contender(
        *small, SETTING._replace(mode='stream'))
    assert contender.run() == contender.frames == timing.STREAM_FRAMES


def test_compare(small, tmp_path):
    done = run_tool(
        'analysis_tools/compare.py', small[0], '--size', *SIZE, '--rounds', 2,
        '--threads', 1, '--miou', f'{small[0]}=12.5', '--out',
        tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    assert 'geometric mean over the models, torch' in done.stdout
    result = json.loads((tmp_path / 'out/compare.json').read_text())
    assert [row['form'] for row in result['rows']] == ['plain', 'inference']
    assert result['setting']['size'] == list(SIZE)
    assert len(result['seconds']) == 2
    for ending in ('png', 'svg'):
        assert (tmp_path / f'out/speed_accuracy.{ending}').stat().st_size > 999


def test_compare_says_what_is_wrong(small):
    done = run_tool('analysis_tools/compare.py', small[0], '--backends',
                    'abacus', '--size', *SIZE)
    assert done.returncode == 1
    assert "no backend 'abacus'" in done.stderr


def test_benchmark_of_a_backend(small, tmp_path):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    pytest.importorskip('av')
    export(*small, out=tmp_path / 'out')
    for options in (['--mode', 'pipeline'], ['--output', 'logits'],
                    ['--mode', 'stream']):
        done = run_tool(
            'analysis_tools/benchmark.py', tmp_path / 'out', '--shape', *SIZE,
            '--iterations', 1, '--warmup', 1, '--work-dir', tmp_path / 'work',
            *options)
        assert done.returncode == 0, done.stderr
        assert f'{options[1]}' in done.stdout
        assert 'onnx fp32' in done.stdout
    assert 'of the rate of the network alone' in done.stdout
    rows = json.loads(max((tmp_path / 'work').iterdir()).read_text())['rows']
    assert [row['mode'] for row in rows] == ['stream', 'network']


@pytest.mark.slow
def test_peers_run():
    done = run_tool('analysis_tools/compare.py', '--peers', '--backends',
                    'torch-plain', '--size', 128, 256, '--rounds', 1)
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.split('\n')
                if ', torch-plain |' in line]) == 7
