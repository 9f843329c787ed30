"""Two and four processes train as one; without a GPU."""
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
import torch

from rtseg_plugin.utils.safe_load import safe_torch_load
from tests.builders import ROOT, write_cityscapes
from tests.engine import faulty_run, many_worker
from tests.engine.demo_run import tiny_config


def launch(processes, *command, **environment):
    """torchrun with a port of its own choosing."""
    return subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone',
         '--nproc_per_node', str(processes), *map(str, command)],
        cwd=ROOT, env=dict(os.environ, PYTHONPATH=str(ROOT),
                           OMP_NUM_THREADS='1', **environment),
        capture_output=True, text=True, timeout=500)


@pytest.fixture(scope='module')
def one(tmp_path_factory):
    """What a single process gives."""
    out = tmp_path_factory.mktemp('one')
    many_worker.main(str(out))
    return torch.load(out / 'rank0.pth')


@pytest.mark.parametrize('processes', [
    2, pytest.param(4, marks=pytest.mark.slow)])
def test_processes_train_as_one(tmp_path, one, processes):
    """Weights, metrics and plateaus; 12 samples are 8 and an uneven 4."""
    result = launch(processes, many_worker.__file__, tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    for rank in range(processes):
        many = torch.load(tmp_path / f'rank{rank}.pth')
        assert many['rates'] == one['rates']
        for name, value in one['state'].items():
            torch.testing.assert_close(
                many['state'][name], value, rtol=1e-9, atol=1e-12, msg=name)
        for this, other in zip(many['metrics'], one['metrics'], strict=True):
            assert this['count'] == other['count'] == 10
            assert this['score'] == pytest.approx(other['score'], rel=1e-9)
    assert len(set(one['rates'])) > 1  # a plateau was seen


@pytest.mark.slow
@pytest.mark.parametrize('kwargs', [
    dict(val=1), dict(by_epoch=True, val=1, workers=1)], ids=str)
def test_each_process_resumes_its_own_generators(tmp_path, kwargs):
    """With ``diff_rank_seed``, around a validation, to the bit."""
    name = 'epoch_{}.pth' if kwargs.get('by_epoch') else 'iter_{}.pth'

    def run(folder, **more):
        result = launch(2, '-m', 'tests.engine.faulty_run', tmp_path / folder,
                        *(f'{key}={value!r}' for key, value in dict(
                            kwargs, length=4, diff_rank_seed=True,
                            **more).items()))
        assert result.returncode == 0, result.stderr[-3000:]
        return safe_torch_load(tmp_path / folder / name.format(4))

    whole = run('whole')
    (tmp_path / 'resumed').mkdir()
    middle = shutil.copy(tmp_path / 'whole' / name.format(2),
                         tmp_path / 'resumed')
    first, second = safe_torch_load(middle)['random_state_of_ranks']
    assert not torch.equal(first['cpu'], second['cpu'])
    resumed = run('resumed', resume=True)
    for key, value in whole['state_dict'].items():
        assert torch.equal(value, resumed['state_dict'][key]), key
    for this, other in zip(whole['random_state_of_ranks'],
                           resumed['random_state_of_ranks'], strict=True):
        assert torch.equal(this['cpu'], other['cpu'])


def test_no_process_waits_for_a_clip_of_one_frame(tmp_path):
    """As ``missing='short'`` gives them; the memory has no part in it."""
    result = launch(2, '-m', 'tests.engine.short_clip_worker', tmp_path)
    assert result.returncode == 0, result.stderr[-3000:]
    first, second = (torch.load(tmp_path / f'rank{i}.pth') for i in range(2))
    for name, value in first['end'].items():
        assert torch.equal(value, second['end'][name]), name
    assert any('neck' in name and not torch.equal(value, first['end'][name])
               for name, value in first['start'].items())


@pytest.mark.skipif(torch.cuda.is_available(), reason='runs on CPUs')
def test_the_documented_command(tmp_path):
    """``tools/dist_train.sh CONFIG 2``, where torch has no GPU."""
    write_cityscapes(tmp_path / 'data')
    cfg = tiny_config(tmp_path / 'data', tmp_path / 'work')
    cfg.train_cfg.val_interval = 1
    cfg.log_level = 'INFO'
    cfg.dump(tmp_path / 'cfg.py')
    binaries = os.path.dirname(sys.executable)
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    result = subprocess.run(
        ['bash', 'tools/dist_train.sh', tmp_path / 'cfg.py', '2'],
        cwd=ROOT, env=dict(os.environ, PORT=str(port), OMP_NUM_THREADS='1',
                           PATH=f'{binaries}:{os.environ["PATH"]}'),
        capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stderr[-3000:]
    assert 'mIoU' in result.stdout
    assert (tmp_path / 'work' / 'iter_1.pth').is_file()


def test_a_dying_rank_ends_the_job(tmp_path):
    """The others do not wait for it, and its trace is printed."""
    start = time.monotonic()
    result = launch(2, many_worker.__file__, tmp_path, 1)
    assert result.returncode != 0
    assert 'RuntimeError: this rank is dying' in result.stderr
    assert time.monotonic() - start < 240  # torch would wait half an hour


def test_a_killed_worker_ends_the_training(tmp_path):
    """And is no silent loss of its share of the data."""
    child = faulty_run.in_a_child(tmp_path, workers=1, kill_worker=True)
    assert child.returncode == 1
    assert 'is killed by signal' in child.stderr
