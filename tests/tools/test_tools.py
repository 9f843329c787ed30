"""The scripts of tools/, on tiny inputs."""
import json
import subprocess
import sys

import pytest

from rtseg_plugin.utils.host_tools import config_names, resolve_config
from tests.builders import ROOT, run_tool, write_cityscapes

SCTNET = 'sctnet-s-seg50_2xb8-160k_cityscapes-512x1024'
DEMO = 'sctnet-s_1xb4-demo_synthetic-street-256x512'


def test_configs_are_found_by_bare_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(config_names()) > 50
    for name in (SCTNET, f'{SCTNET}.py', f'somewhere/{SCTNET}.py'):
        assert resolve_config(name).endswith(f'sctnet/{SCTNET}.py')
    with pytest.raises(FileNotFoundError, match=SCTNET):
        resolve_config('sctnet-s-seg5_2xb8-160k_cityscapes-512x1024')


@pytest.mark.parametrize('number', [0, 2])
def test_benchmark_with_a_small_data_set_or_none(tmp_path, number):
    if number:
        write_cityscapes(tmp_path / 'data', train=1, val=number)
    result = run_tool(
        'analysis_tools/benchmark.py', DEMO, '--shape', 64, 128,
        '--iterations', 3, '--warmup', 1, '--work-dir', tmp_path / 'work',
        '--device', 'cpu', '--cfg-options',
        f'test_dataloader.dataset.data_root={tmp_path}/data')
    assert result.returncode == 0, result.stderr
    source = 'test set' if number else 'random image'
    assert f'predict, run 1 ({source}' in result.stdout
    report = json.loads(next((tmp_path / 'work').glob('*.json')).read_text())
    network = report['network'][0]
    assert network['shape'] == [1, 3, 64, 128]
    assert network['runs'] == report['predict'][0]['runs'] == 3
    for entry in (network, report['predict'][0]):
        assert 0 < entry['min_ms'] <= entry['median_ms'] <= entry['max_ms']
    assert network['share_of_conv_peak'] > 0
    assert report['parameters'] == 4_654_643


def test_benchmark_of_a_wrong_checkpoint(tmp_path):
    result = run_tool('analysis_tools/benchmark.py', DEMO,
                      tmp_path / 'none.pth')
    assert result.returncode == 1
    assert 'none.pth does not exist' in result.stderr
    result = run_tool('analysis_tools/benchmark.py', 'sctnet-x')
    assert result.returncode == 1
    assert 'is no file and no recipe' in result.stderr


@pytest.mark.parametrize('shape, want', [
    ((512, 1024), '8.08'),
    ((768, 1536), '18.1'),
])
def test_flops_of_the_official_network(shape, want):
    result = run_tool('analysis_tools/get_flops.py', SCTNET, '--shape', *shape)
    assert result.returncode == 0, result.stderr
    assert f'Flops: {want}' in result.stdout
    assert '4,654,643' in result.stdout


def test_browse_dataset(tmp_path):
    write_cityscapes(tmp_path / 'data', train=3, val=1)
    result = run_tool(
        'analysis_tools/browse_dataset.py', DEMO, '--not-show',
        '--output-dir', tmp_path / 'out', '--number', 2, '--cfg-options',
        f'train_dataloader.dataset.data_root={tmp_path}/data')
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / 'out').glob('*.png'))) == 2


@pytest.mark.parametrize('absent, args', [('onnxscript', []),
                                          ('onnxruntime', ['--verify'])])
def test_onnx_without_its_packages(absent, args, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, absent, None)
    for name in ('onnxscript', 'onnxruntime'):
        if name != absent:
            pytest.importorskip(name)
    result = run_tool('deployment/pytorch2onnx.py', DEMO, *args,
                      '--output-file', tmp_path / 'net.onnx')
    assert result.returncode == 1
    assert result.stderr.startswith(f'error: {absent} cannot be imported')
    assert "pip install '" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize('config', [DEMO] + [
    'rtformer-slim_1xb4-demo_synthetic-street-256x512',
    'fanet-18_1xb4-demo_synthetic-street-256x512',
    'gain-r18_1xb4-demo_synthetic-street-256x512',
])
def test_onnx_with_dynamic_sizes(tmp_path, config):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    result = run_tool(
        'deployment/pytorch2onnx.py', config, '--shape', 128, 192,
        '--verify', '--output-file', tmp_path / 'net.onnx')
    assert result.returncode == 0, result.stderr
    assert 'largest difference at 160x288' in result.stdout


@pytest.mark.slow
def test_demo_from_end_to_end(tmp_path):
    """All stages of ``make demo``, a few scenes and iterations."""
    result = subprocess.run(
        [
            sys.executable,
            str(ROOT / 'tools/misc/street_demo.py'), '--train', '4', '--val',
            '2', '--iterations', '2', '--data', 'data', '--out', 'demo',
            '--work-dirs', 'work'
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    for name in ('report.md', 'packaged.png', 'overlays.png', 'curves.png',
                 'data.png'):
        assert (tmp_path / 'demo' / name).stat().st_size > 500
    report = (tmp_path / 'demo' / 'report.md').read_text()
    assert '2 + 2 + 2' in report
    assert 'the teacher of its first' in report
    assert 'linear classifier' in report
    assert '| bicycle' in report.replace('   ', ' ').replace('  ', ' ')
