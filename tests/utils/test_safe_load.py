import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner.checkpoint import CheckpointLoader

from rtseg_plugin.utils import safe_load
from rtseg_plugin.utils.safe_load import (
    SAFE_LOADERS,
    UnsafeCheckpointError,
    safe_torch_load,
)


def checkpoint():
    """What mmengine saves, and a few types more."""
    hub = MessageHub.get_instance('test_safe_load')
    hub.update_scalar('train/loss', 0.5)
    hub.update_scalar('train/loss', np.float32(0.25).item())
    parameter = torch.nn.Parameter(torch.randn(3))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    return dict(
        meta=dict(iter=4, seed=None, dataset_meta=dict(classes=('a', ))),
        state_dict={
            'w': torch.randn(2, 3),
            'half': torch.randn(4).half(),
            'brain': torch.randn(4).bfloat16(),
            'count': torch.tensor(3),
            'flag': torch.tensor([True, False]),
            'parameter': parameter,
        },
        optimizer=optimizer.state_dict(),
        message_hub=hub.state_dict(),
        arrays=[np.arange(3), np.float64(2.5), np.array('text')],
        shape=torch.Size([1, 2]),
        kinds={1, 2},
        dtype=torch.float16)


@pytest.mark.parametrize('legacy', [False, True])
def test_checkpoint_of_mmengine(tmp_path, legacy):
    path = str(tmp_path / 'c.pth')
    want = checkpoint()
    torch.save(want, path, _use_new_zipfile_serialization=not legacy)
    loaded = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    for key, value in want['state_dict'].items():
        assert torch.equal(loaded['state_dict'][key], value)
    history = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer)
    assert history.mean() == pytest.approx(0.375)
    assert loaded['dtype'] is torch.float16
    np.testing.assert_array_equal(loaded['arrays'][0], np.arange(3))


class Call:
    """Pickles into a call of any function."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize('payload', [
    Call(os.system, 'true'),
    Call(eval, '1 + 1'),
    Call(getattr, HistoryBuffer, 'from_dict'),
    Call(getattr, int, 'from_bytes'),
    Call(getattr, HistoryBuffer, '__init__'),
    Call(torch.load, 'x'),
    Call(pickle.loads, b''),
    Call(np.load, 'x'),
    Call(__import__, 'os'),
], ids=lambda c: f'{getattr(c.function, "__name__", c)}-{c.args[-1]}')
@pytest.mark.parametrize('legacy', [False, True])
def test_calls_are_refused(tmp_path, payload, legacy):
    path = str(tmp_path / 'c.pth')
    try:
        torch.save(
            dict(x=payload),
            path,
            _use_new_zipfile_serialization=not legacy)
    except AttributeError:
        pytest.fail('the payload itself is wrong')
    with pytest.raises((UnsafeCheckpointError, RuntimeError),
                       match='may carry code|four methods'):
        safe_torch_load(path)


def test_torchscript_archive_is_refused(tmp_path):
    path = str(tmp_path / 'c.pt')
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), path)
    with pytest.raises(UnsafeCheckpointError, match='TorchScript'):
        safe_torch_load(path)


def test_every_scheme_of_the_runner_that_reads_a_pickle():
    """All of mmengine's loaders are replaced but those of two services."""
    left = {
        prefix
        for prefix, loader in CheckpointLoader._schemes.items()
        if loader.__module__ != safe_load.__name__
    }
    assert left == {'pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://'}
    for prefix, loader in SAFE_LOADERS.items():
        assert CheckpointLoader._schemes[prefix] is loader


def test_urls_are_read_from_the_cache_safely(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    (tmp_path / 'checkpoints').mkdir()
    torch.save(dict(a=torch.ones(2)), tmp_path / 'checkpoints' / 'good.pth')
    torch.save(
        dict(a=Call(os.system, 'true')),
        tmp_path / 'checkpoints' / 'bad.pth')
    load = CheckpointLoader.load_checkpoint
    assert torch.equal(
        load('https://example.org/good.pth')['a'], torch.ones(2))
    with pytest.raises(UnsafeCheckpointError):
        load('https://example.org/bad.pth')
