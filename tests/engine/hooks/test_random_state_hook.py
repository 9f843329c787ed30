"""A resumed training draws what it would have drawn."""
import shutil

import pytest

from rtseg_plugin.utils.newest_checkpoint import newest_checkpoint
from tests.builders import write_cityscapes
from tests.engine.faulty_run import CutHook, assert_same, train, weights


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
