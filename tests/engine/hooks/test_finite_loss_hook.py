"""A loss that is not finite ends a training."""
import pytest

from rtseg_plugin.utils.newest_checkpoint import newest_checkpoint
from tests.engine.faulty_run import train


@pytest.mark.parametrize('kwargs', [dict(), dict(keep=1)], ids=str)
def test_a_nan_loss_ends_the_training(tmp_path, kwargs):
    with pytest.raises(FloatingPointError, match=r"iteration 3 .*'loss': nan"):
        train(tmp_path, nan_at=3, **kwargs)
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')
