"""A loss that is not finite ends a training."""
from types import SimpleNamespace

import pytest
import torch
from mmseg.structures import SegDataSample

from rtseg_plugin.engine.hooks import FiniteLossHook
from rtseg_plugin.utils.newest_checkpoint import newest_checkpoint
from tests.engine.faulty_run import train


@pytest.mark.parametrize('kwargs', [dict(), dict(keep=1)], ids=str)
def test_a_nan_loss_ends_the_training(tmp_path, kwargs):
    with pytest.raises(FloatingPointError, match=r"iteration 3 .*'loss': nan"):
        train(tmp_path, nan_at=3, **kwargs)
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'iter_2.pth')


def test_the_files_of_the_batch_are_named():
    sample = SegDataSample(metainfo=dict(img_path='a/town_7.png'))
    with pytest.raises(FloatingPointError, match=(
            r"iteration 7 .*'loss_ce': inf.*batch was \['a/town_7\.png'\]")):
        FiniteLossHook().after_train_iter(
            SimpleNamespace(iter=6), 0, dict(data_samples=[sample]),
            dict(loss=torch.tensor(float('inf')),
                 loss_ce=torch.tensor(float('inf'))))
