"""Trainings that are killed, poisoned or short of disk, and go on."""
import os
import shutil
import signal
import subprocess
import sys

import pytest
import torch

from rtseg_plugin.utils.newest_checkpoint import newest_checkpoint
from rtseg_plugin.utils.safe_load import safe_torch_load
from tests.builders import ROOT, write_cityscapes
from tests.engine.faulty_run import CutHook, build


def train(work_dir, **kwargs):
    runner = build(str(work_dir), **kwargs)
    runner.train()
    return runner


def in_a_child(work_dir, prefix=(), **kwargs):
    return subprocess.run(
        [*prefix, sys.executable, '-m', 'tests.engine.faulty_run',
         str(work_dir), *(f'{k}={v!r}' for k, v in kwargs.items())],
        cwd=ROOT, env=dict(os.environ, OMP_NUM_THREADS='1'),
        capture_output=True, text=True, timeout=300)


def weights(work_dir, name):
    return safe_torch_load(work_dir / name)['state_dict']


def assert_same(this, other):
    assert this.keys() == other.keys()
    for key, value in this.items():
        assert torch.equal(value, other[key]), key


@pytest.mark.parametrize('start, kwargs', [
    (1, dict(val=1)), (3, dict(val=1, best='score')),
    (2, dict(val=1, workers=1)), (1, dict(by_epoch=True, val=1)),
    (3, dict(by_epoch=True, val=1, workers=1)),
    (2, dict(by_epoch=True, val=1, workers=1, persistent=True))
], ids=str)
def test_resume_to_the_bit_around_a_validation(tmp_path, kwargs, start):
    """A file saved just before a validation goes on as the run did."""
    name = 'epoch_{}.pth' if kwargs.get('by_epoch') else 'iter_{}.pth'
    train(tmp_path / 'whole', length=4, **kwargs)
    (tmp_path / 'resumed').mkdir()
    shutil.copy(tmp_path / 'whole' / name.format(start), tmp_path / 'resumed')
    train(tmp_path / 'resumed', length=4, resume=True, **kwargs)
    assert_same(weights(tmp_path / 'whole', name.format(4)),
                weights(tmp_path / 'resumed', name.format(4)))


def test_a_kill_while_saving_keeps_the_last_file(tmp_path):
    """With one checkpoint to keep, the old goes after the new is whole."""
    child = in_a_child(tmp_path, keep=1, kill=3, saving=True)
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')
    train(tmp_path, keep=1, resume=True, length=4)
    assert [p.name for p in tmp_path.glob('*.pth*')] == ['iter_4.pth']


@pytest.mark.slow
def test_twenty_kills(tmp_path):
    """Killed at every other point, also while saving: the same bits."""
    train(tmp_path / 'whole', length=22, val=2)
    killed = tmp_path / 'killed'
    for i in range(20):
        child = in_a_child(killed, length=22, val=2, keep=1, resume=True,
                           kill=i + 2, saving=bool(i % 2))
        assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    child = in_a_child(killed, length=22, val=2, keep=1, resume=True)
    assert child.returncode == 0, child.stderr[-2000:]
    assert_same(weights(tmp_path / 'whole', 'iter_22.pth'),
                weights(killed, 'iter_22.pth'))
    assert [p.name for p in killed.glob('*.pth*')] == ['iter_22.pth']


@pytest.fixture(scope='module')
def three(tmp_path_factory):
    """Work dir of three iterations, each saved."""
    folder = tmp_path_factory.mktemp('three')
    train(folder, length=3)
    return folder


@pytest.mark.parametrize('pointer', [None, '', 'iter_2.pth', 'iter_9.pth',
                                     '/moved/away/iter_3.pth', '\0\xff'])
def test_the_newest_is_found_whatever_the_pointer_says(
        tmp_path, three, pointer):
    work_dir = shutil.copytree(three, tmp_path / 'copy')
    (work_dir / 'last_checkpoint').unlink()
    if pointer is not None:
        if pointer == 'iter_2.pth':
            pointer = str(work_dir / pointer)
            os.utime(work_dir / 'iter_3.pth')  # written after it
        (work_dir / 'last_checkpoint').write_text(pointer)
    assert newest_checkpoint(work_dir) == str(work_dir / 'iter_3.pth')


def test_a_new_training_in_an_old_folder_is_resumed(tmp_path, three):
    """Files of more iterations that are older than the pointed at."""
    work_dir = shutil.copytree(three, tmp_path / 'copy')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_2.pth'))
    os.utime(work_dir / 'iter_3.pth', (1, 1))
    assert newest_checkpoint(work_dir) == str(work_dir / 'iter_2.pth')


def test_the_newest_readable_one_is_resumed(tmp_path, three):
    work_dir = shutil.copytree(three, tmp_path / 'copy')
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'iter_3.pth'))
    content = (work_dir / 'iter_3.pth').read_bytes()
    (work_dir / 'iter_3.pth').write_bytes(content[:-500])
    assert newest_checkpoint(work_dir) == str(work_dir / 'iter_2.pth')
    train(work_dir, length=3, resume=True)
    assert_same(weights(three, 'iter_3.pth'), weights(work_dir, 'iter_3.pth'))


def test_nothing_readable_is_an_error(tmp_path, three):
    (tmp_path / 'iter_3.pth').write_bytes(
        (three / 'iter_3.pth').read_bytes()[:999])
    with pytest.raises(RuntimeError, match='nothing in .* can be resumed.*'
                       'iter_3.pth'):
        train(tmp_path, length=4, resume=True)


def test_nothing_at_all_starts(tmp_path):
    assert train(tmp_path, length=1, resume=True).iter == 1


@pytest.mark.parametrize('kwargs', [dict(), dict(keep=1)], ids=str)
def test_a_nan_loss_ends_the_training(tmp_path, kwargs):
    with pytest.raises(FloatingPointError, match=r"iteration 3 .*'loss': nan"):
        train(tmp_path, nan_at=3, **kwargs)
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')


def test_weights_that_are_nan_are_not_saved(tmp_path):
    """A loss may be finite and its gradient not."""
    runner = build(str(tmp_path), keep=1)
    hook = runner.hooks[0]
    runner.hooks[0].after_train_iter = lambda runner, *args, **kwargs: (
        runner.model.layers[1].weight.data.fill_(float('nan'))
        if runner.iter == 2 else None)
    assert hook is runner.hooks[0]
    with pytest.raises(FloatingPointError, match=r'layers.1.weight.*'
                       r'last good checkpoint is .*iter_2\.pth'):
        runner.train()
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')


def test_a_full_disk_keeps_what_was_saved(tmp_path):
    """No file of the second run may grow beyond 20 kB."""
    train(tmp_path, length=2, keep=1, large=9000)
    child = in_a_child(tmp_path, ('prlimit', '--fsize=20000', '--'),
                       resume=True, keep=1, large=9000)
    assert child.returncode == 1
    assert 'saved before is still there' in child.stderr
    assert 'iter_3.pth' in child.stderr
    assert [p.name for p in tmp_path.glob('*.pth*')] == ['iter_2.pth']


def test_a_killed_worker_ends_the_training(tmp_path):
    """And is no silent loss of its share of the data."""
    child = in_a_child(tmp_path, workers=1, kill_worker=True)
    assert child.returncode == 1
    assert 'is killed by signal' in child.stderr


@pytest.mark.parametrize('workers', [0, 1])
def test_an_image_cut_in_the_second_epoch(tmp_path, workers):
    """It was readable in the first; what was saved by then is resumed."""
    write_cityscapes(tmp_path / 'data')
    path = sorted((tmp_path / 'data/leftImg8bit/train').rglob('*.png'))[0]
    content = path.read_bytes()
    kwargs = dict(images=str(tmp_path / 'data'), by_epoch=True, length=2,
                  workers=workers)
    with pytest.raises(ValueError, match=f'{path.name}.*cannot be decoded'):
        train(tmp_path / 'run', hooks=[CutHook(path)], **kwargs)
    assert newest_checkpoint(tmp_path / 'run').endswith('epoch_1.pth')
    path.write_bytes(content)
    train(tmp_path / 'run', resume=True, **kwargs)
    train(tmp_path / 'whole', **kwargs)
    assert_same(weights(tmp_path / 'whole', 'epoch_2.pth'),
                weights(tmp_path / 'run', 'epoch_2.pth'))


def test_a_folder_that_cannot_be_written(tmp_path):
    """Found when training starts, named, not after the first interval."""
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='file'):
        train(tmp_path / 'file' / 'work_dir')
