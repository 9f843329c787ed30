"""Timing in turns, and the tools on top of it. No time is asserted."""
import json
import tempfile
import time

import numpy as np
import pytest

from rtseg_plugin.apis import TorchNetwork
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


def test_a_stream_is_timed_by_the_frame(small, tmp_path, monkeypatch):
    pytest.importorskip('av')
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    step, precisions = TorchNetwork.step_together, set()
    monkeypatch.setattr(
        TorchNetwork, 'step_together',
        lambda self, *args: (precisions.add(self.precision),
                             step(self, *args))[1])
    contender = timing.torch_contender(
        *small, SETTING._replace(mode='stream'), precision='bf16')
    assert contender.run() == contender.frames == timing.STREAM_FRAMES
    assert precisions == {'bf16'}
    del contender
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize('options, message', [
    (['--backends', 'abacus'], "no backend 'abacus'"),
    (['--backends', 'torch:int8'], 'timed in fp32 or bf16, not in int8'),
    (['--miou', 'small=12.5'], '--miou names small, compared are'),
    (['--size', 0, 0], 'error: small needs images of at least 8 pixels a '
     'side, got 0x0'),
    (['--threads', -1], 'error: --threads must be at least 1, got -1'),
])
def test_compare_says_what_is_wrong(small, options, message):
    done = run_tool('analysis_tools/compare.py', small[0], '--size', *SIZE,
                    *options)
    assert done.returncode == 1
    assert message in done.stderr


@pytest.mark.parametrize('options, message', [
    (['--mode', 'network', '--dtype', 'float16'], 'fp32 or bf16, not in fp16'),
    (['--precision', 'int8'], 'fp32 or bf16, not in int8'),
    (['--mode', 'network', '--batch-size', 2], 'batch-size cannot be chosen'),
    (['--output', 'labels', '--device', 'cuda'], 'device cannot be chosen'),
    (['--shape', 4, 4], 'needs images of at least 8 pixels a side, got 4x4'),
    (['--threads', -3], 'error: --threads must be at least 1, got -3'),
    (['--device', 'cuda:99'], "error: there is no device 'cuda:99', of"),
])
def test_benchmark_ignores_no_option(small, options, message):
    done = run_tool('analysis_tools/benchmark.py', small[0], '--shape', *SIZE,
                    *options)
    assert done.returncode != 0
    assert message in done.stderr


def test_benchmark_of_a_backend(small, tmp_path):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    pytest.importorskip('av')
    folder = tmp_path / 'out'
    export(*small, out=folder)
    for options in (['--mode', 'pipeline'], ['--output', 'logits'],
                    ['--mode', 'stream']):
        done = run_tool(
            'analysis_tools/benchmark.py', folder, '--iterations', 1,
            '--warmup', 1, '--work-dir', tmp_path / 'work', *options)
        assert done.returncode == 0, done.stderr
        assert f'{options[1]}' in done.stdout
        assert 'onnx fp32, 64x96' in done.stdout
    assert 'of the rate of the network alone' in done.stdout
    rows = json.loads(max((tmp_path / 'work').iterdir()).read_text())['rows']
    assert [row['mode'] for row in rows] == ['stream', 'network']
    done = run_tool('analysis_tools/benchmark.py', folder, '--precision',
                    'bf16')
    assert done.returncode == 2
    assert 'precision cannot be chosen of a deployed folder' in done.stderr
    # a folder is a row of a comparison, by the name that it was given
    done = run_tool(
        'analysis_tools/compare.py', folder, '--size', *SIZE, '--rounds', 1,
        '--threads', 1, '--miou', f'{folder}=12.5', '--out', tmp_path / 'c')
    assert done.returncode == 0, done.stderr
    assert f'| {folder} |' in done.stdout
    assert str(folder) in (tmp_path / 'c/speed_accuracy.svg').read_text()


@pytest.mark.parametrize('backend, format, mode', [
    ('onnxruntime', 'onnx', 'network'),
    ('openvino', 'openvino', 'stream'),
])
def test_benchmark_exports_for_a_backend(small, tmp_path, monkeypatch,
                                         backend, format, mode):
    for module in (backend, 'onnxscript', 'av'):
        pytest.importorskip(module)
    (tmp_path / 'tmp').mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'tmp'))
    done = run_tool(
        'analysis_tools/benchmark.py', *small, '--backend', backend, '--mode',
        mode, '--shape', *SIZE, '--iterations', 1, '--warmup', 1,
        '--work-dir', tmp_path / 'work')
    assert done.returncode == 0, done.stderr
    assert f'small {format} fp32, 64x96' in done.stdout
    rows = json.loads(next((tmp_path / 'work').iterdir()).read_text())['rows']
    assert [row['mode'] for row in rows] == [mode, 'network'][:len(rows)]
    assert {row['backend'] for row in rows} == {format}
    # the export went with the measurement
    assert list((tmp_path / 'tmp').iterdir()) == []


@pytest.mark.slow
def test_compare_exports_for_backends(small, tmp_path):
    for module in ('onnxruntime', 'onnxscript', 'nncf'):
        pytest.importorskip(module)
    done = run_tool(
        'analysis_tools/compare.py', small[0], '--size', *SIZE, '--rounds', 1,
        '--threads', 1, '--backends', 'onnxruntime', 'openvino:int8',
        '--out', tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / 'out/compare.json').read_text())['rows']
    assert [(row['backend'], row['precision'], row['form']) for row in rows
            ] == [('onnx', 'fp32', 'exported'),
                  ('openvino', 'int8', 'exported')]
    assert rows[1]['name'] == f'{small[0]}, openvino:int8'


@pytest.mark.slow
def test_peers_run():
    done = run_tool('analysis_tools/compare.py', '--peers', '--backends',
                    'torch-plain', '--size', 128, 256, '--rounds', 1)
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.split('\n')
                if ', torch-plain |' in line]) == 7
