"""A resumed training draws what it would have drawn."""
import shutil

import pytest

from tests.engine.faulty_run import assert_same, train, weights


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
