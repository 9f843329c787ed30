"""Two processes train as one with the same global batch."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.builders import ROOT
from tests.engine.ddp_worker import batch, build, step


@pytest.mark.slow
def test_two_gloo_processes_train_as_one(tmp_path):
    result = subprocess.run(
        [
            sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node',
            '2', '--master_port', '29641',
            str(Path(__file__).with_name('ddp_worker.py')),
            str(tmp_path)
        ],
        env=dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1'),
        capture_output=True,
        text=True,
        timeout=300)
    assert result.returncode == 0, result.stderr[-3000:]
    first, second = (
        torch.load(tmp_path / f'rank{i}.pth', weights_only=False)
        for i in range(2))
    for name, value in first.items():
        assert torch.equal(value, second[name]), name

    # One process, the same global batch; statistics of norms and of the
    # re-scaling are those of a share, as they are per process.
    model = build()
    start = {k: v.detach().clone() for k, v in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(2):
        step(model, model, optimizer, [batch(0), batch(1)])
    for name, value in model.named_parameters():
        if name.endswith('.weight'):  # a bias before a norm has no gradient
            assert not torch.equal(value, start[name]), name
        # the sums of the two gradients differ in their rounding only
        torch.testing.assert_close(
            first[name], value, rtol=1e-9, atol=1e-12, msg=name)
