"""Which checkpoint of a folder is the newest that can be read."""
import os
import shutil

import pytest

from rtseg_plugin.utils.newest_checkpoint import newest_checkpoint
from tests.engine.faulty_run import assert_same, train, weights


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
