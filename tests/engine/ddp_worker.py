"""One of two gloo processes of test_ddp.py; started by torchrun."""
import os
import sys

import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel

from tests.builders import build_model, load_config, samples

SIZE = (64, 96)


def build():
    """SCTNet-S with its small teacher; no drop path, which is random.

    In float64: in float32 the rounding of two orders of summation can flip a
    ReLU, and the difference after two steps then depends on the machine.
    """
    torch.manual_seed(0)
    cfg = load_config('sctnet/sctnet-s_1xb4-demo_synthetic-street-256x512.py')
    model = build_model(cfg, backbone=dict(drop_path_rate=0.))
    model.init_weights()
    model.teacher.network().double()
    return model.double().train()


def batch(rank):
    """The share of one process of the global batch."""
    torch.manual_seed(100 + rank)
    return torch.randn(2, 3, *SIZE).double(), samples(2, SIZE, 19, seed=rank)


def step(forward, model, optimizer, shares):
    """One optimiser step on the mean of the losses of the shares."""
    optimizer.zero_grad()
    for inputs, data_samples in shares:
        losses = forward(inputs, data_samples, mode='loss')
        (model.parse_losses(losses)[0] / len(shares)).backward()
    optimizer.step()


def main(out):
    dist.init_process_group('gloo')
    rank = dist.get_rank()
    model = build()
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=False)
    assert not wrapped.find_unused_parameters
    ids = {id(p) for p in model.teacher.network().parameters()}
    assert not any(id(p) in ids for p in wrapped.parameters())
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.01)
    for _ in range(2):
        step(wrapped, model, optimizer, [batch(rank)])
    torch.save(dict(model.named_parameters()), f'{out}/rank{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


if __name__ == '__main__':
    torch.set_num_threads(1)
    assert int(os.environ['WORLD_SIZE']) == 2
    main(sys.argv[1])
