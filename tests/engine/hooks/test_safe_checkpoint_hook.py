"""No moment is without a whole checkpoint."""
import os
import signal

import pytest

from rtseg_plugin.engine.hooks.safe_checkpoint_hook import WholeFileBackend
from rtseg_plugin.utils.newest_checkpoint import newest_checkpoint
from tests.engine.faulty_run import (
    assert_same,
    build,
    in_a_child,
    train,
    weights,
)


def test_a_kill_while_saving_keeps_the_last_file(tmp_path):
    """With one checkpoint to keep, the old goes after the new is whole."""
    child = in_a_child(tmp_path, keep=1, kill=3, saving=True)
    assert child.returncode == -signal.SIGKILL, child.stderr[-2000:]
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')
    train(tmp_path, keep=1, resume=True, length=4)
    assert [p.name for p in tmp_path.glob('*.pth*')] == ['iter_4.pth']


def test_a_file_is_on_the_disk_before_it_takes_its_place(
        tmp_path, monkeypatch):
    done = []

    def replace(source, target, rename=os.replace):
        done.append('renamed')
        rename(source, target)

    monkeypatch.setattr(os, 'fsync', lambda file: done.append('flushed'))
    monkeypatch.setattr(os, 'replace', replace)
    WholeFileBackend().put(b'new', tmp_path / 'a.pth')
    assert done == ['flushed', 'renamed']
    assert (tmp_path / 'a.pth').read_bytes() == b'new'


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


def test_weights_that_are_nan_are_not_saved(tmp_path):
    """A loss may be finite and its gradient not."""
    runner = build(str(tmp_path), keep=1)
    runner.hooks[0].after_train_iter = lambda runner, *args, **kwargs: (
        runner.model.layers[1].weight.data.fill_(float('nan'))
        if runner.iter == 2 else None)
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


def test_a_folder_that_cannot_be_written(tmp_path):
    """Found when training starts, named, not after the first interval."""
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='file'):
        train(tmp_path / 'file' / 'work_dir')
