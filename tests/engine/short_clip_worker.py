"""One of two gloo processes, some of whose clips have one frame."""
import sys

import torch
import torch.distributed as dist

from rtseg_plugin.engine import GlooDataParallel
from tests.builders import samples
from tests.models.segmentors.test_video_encoder_decoder import SIZE, build

# of each rank, per step: both short, one of them, the other
FRAMES = [(1, 3, 1), (1, 1, 3)]


def main(out):
    dist.init_process_group('gloo')
    rank = dist.get_rank()
    model = GlooDataParallel(build().train())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    start = {n: p.detach().clone() for n, p in model.named_parameters()}
    for seed, frames in enumerate(FRAMES[rank]):
        torch.manual_seed(10 * rank + seed)
        losses = model(torch.randn(2, frames, 3, *SIZE),
                       samples(2, SIZE, 5, seed=seed), mode='loss')
        optimizer.zero_grad()
        model.module.parse_losses(losses)[0].backward()
        optimizer.step()
    torch.save(
        dict(start=start, end=dict(model.named_parameters())),
        f'{out}/rank{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


if __name__ == '__main__':
    torch.set_num_threads(1)
    main(sys.argv[1])
