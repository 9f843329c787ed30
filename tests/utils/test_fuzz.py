"""Ten thousand flipped bits, and files cut off at every KiB."""
import shutil

import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

from tests.parity import cases
from tests.utils.forge import read_in_a_child

FLIPS = {  # reader and format: how many
    ('runner', 'zip'): 3000,
    ('converters', 'zip'): 2000,
    ('runner', 'legacy'): 2000,
    ('converters', 'legacy'): 1000,
    ('paddle', 'pdparams'): 2000,
}


@pytest.mark.slow
@pytest.mark.parametrize('reader, kind', FLIPS)
def test_damaged_files(tmp_path, reader, kind):
    """Refused by name or read; in a process of 2 GiB that stays as it was.

    A zip has checksums, so that what is read of it is what was written; the
    other two formats have none.
    """
    path = tmp_path / f'file.{kind}'
    if kind == 'pdparams':
        shutil.copy(cases.ROOT / 'rtformer' / 'tiny.pdparams', path)
    else:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16))
        optimizer = torch.optim.AdamW(net.parameters())
        net(torch.rand(1, 3, 4, 4)).sum().backward()
        optimizer.step()
        history = HistoryBuffer([1., 2.], [1, 1])
        torch.save(
            dict(
                meta=dict(iter=4, seed=None, cfg='a = 1'),
                state_dict=net.state_dict(),
                optimizer=optimizer.state_dict(),
                message_hub=dict(log_scalars={'train/loss': history})),
            path,
            _use_new_zipfile_serialization=kind == 'zip')
    counts = read_in_a_child(
        path, 'damage', reader, str(FLIPS[reader, kind]), '7', timeout=1800)
    print(f'{reader} {kind} of {path.stat().st_size} bytes: {counts}')
    assert counts['files'] >= FLIPS[reader, kind] + 3
    assert counts['refused'] > counts['files'] // 10
    assert counts['unnamed'] == 0
    assert sum(counts.values()) == 2 * counts['files']
    if kind == 'zip':
        assert counts['other'] == 0
