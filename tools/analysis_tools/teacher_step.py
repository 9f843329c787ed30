"""What a teacher costs in a training step, next to one that is run plainly.

    teacher_step.py sctnet-s_1xb4-demo_synthetic-street-256x512

The reference is the same step with the teacher as an ordinary part of the
model: in fp32, its forward in the graph of the step. The other is the step of
the config, with ``--precision`` if it is given. Both take the same weights,
images and labels; time is taken in turns in one process, peak memory in a
process of each one's own (of the allocator on a GPU, else of the process, as
Linux counts it). Weights are random, which costs the same. Prints losses,
times, memory and their ratios, and writes a JSON with ``--out``.
"""
import argparse
import multiprocessing
import platform
import re
import sys
from pathlib import Path
from types import MethodType
from typing import Callable, Tuple

import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.fileio import dump
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from rtseg_plugin.models.distillation.taps import record
from rtseg_plugin.utils.host_tools import load_config
from rtseg_plugin.utils.timing import in_turns

FORMS = ('plain', 'config')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('config', help='of a student with a teacher')
    parser.add_argument(
        '--shape', type=int, nargs=2, metavar=('H', 'W'), default=[512, 1024])
    parser.add_argument('--batch-size', type=int, default=2)
    parser.add_argument(
        '--precision',
        choices=['fp32', 'bf16'],
        help="of the teacher, default: as the config's teacher says")
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, help='CPU threads')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--out', help='JSON to write')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error('--rounds must be at least 1')
    return args


def plain_forward(teacher, inputs: Tensor, taps) -> dict:
    """The teacher as any part of a model: fp32, in the graph."""
    network = teacher.network()
    network.to(inputs.device).requires_grad_(True)
    with record(network, taps, 'teacher') as tensors:
        network(teacher.convert(inputs), mode='tensor')
    return {name: tensor.detach() for name, tensor in tensors.items()}


def build(args, form: str) -> nn.Module:
    """The student with its teacher, weights alike for both forms."""
    cfg = load_config(args.config, args.cfg_options)
    if 'teacher' not in cfg.model:
        raise ValueError(f'{args.config} has no teacher')
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    cfg.model.teacher.checkpoint = 'random'
    if args.precision:
        cfg.model.teacher.precision = args.precision
    torch.manual_seed(0)
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    model.to(args.device).train()
    if form == 'plain':
        model.teacher.forward = MethodType(plain_forward, model.teacher)
    return model


def step_of(args, form: str) -> Tuple[nn.Module, Callable[[], Tensor]]:
    """The model, and a training step that returns its loss."""
    model = build(args, form)
    generator = torch.Generator().manual_seed(0)
    shape = (args.batch_size, 3, *args.shape)
    images = torch.randn(shape, generator=generator).to(args.device)
    labels = torch.randint(
        0, model.num_classes, (args.batch_size, 1, *args.shape),
        generator=generator).to(args.device)
    samples = [
        SegDataSample(
            gt_sem_seg=PixelData(data=label),
            metainfo=dict(img_shape=tuple(args.shape))) for label in labels
    ]

    def step() -> Tensor:
        torch.manual_seed(1)  # of dropout
        model.zero_grad()
        loss, _ = model.parse_losses(model.loss(images, samples))
        loss.backward()
        return loss.detach()

    return model, step


def _resident(entry: str) -> float:
    """MiB that this process holds, 'VmRSS' now or 'VmHWM' at most so far."""
    status = Path('/proc/self/status').read_text()
    return int(re.search(rf'{entry}:\s+(\d+) kB', status)[1]) / 1024


def measure_memory(args, form: str) -> float:
    """MiB that two steps need besides the networks; in a fresh process."""
    torch.set_num_threads(args.threads)
    model, step = step_of(args, form)
    model.teacher.network().to(args.device)
    if args.device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        step()
        return (torch.cuda.max_memory_allocated() - before) / (1 << 20)
    before = _resident('VmRSS')
    step()
    step()
    return _resident('VmHWM') - before


def main() -> None:
    args = parse_args()
    args.threads = args.threads or torch.get_num_threads()
    torch.set_num_threads(args.threads)
    try:
        steps = [step_of(args, form)[1] for form in FORMS]
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f'error: {error}')
    losses = [float(step()) for step in steps]
    seconds = in_turns(steps, args.rounds, device=args.device)
    del steps
    with multiprocessing.get_context('spawn').Pool(
            1, maxtasksperchild=1) as pool:
        memory = [pool.apply(measure_memory, (args, form)) for form in FORMS]
    ratios = seconds[:, 1] / seconds[:, 0]
    result = dict(
        config=args.config,
        shape=list(args.shape),
        batch_size=args.batch_size,
        precision=args.precision,
        device=args.device,
        machine=platform.processor() or platform.machine(),
        threads=args.threads,
        torch=torch.__version__,
        loss=dict(zip(FORMS, losses)),
        seconds=dict(zip(FORMS, np.median(seconds, 0).tolist())),
        mebibytes=dict(zip(FORMS, memory)),
        loss_difference=abs(losses[1] / losses[0] - 1),
        time_ratio=float(np.median(ratios)),
        time_ratio_range=[float(ratios.min()), float(ratios.max())],
        memory_ratio=memory[1] / memory[0])
    for form, loss, took, held in zip(FORMS, losses, np.median(seconds, 0),
                                      memory):
        print(f'teacher {form}: loss {loss:.5f}, {took:.3f} s, '
              f'{held:.0f} MiB')
    print(f'loss differs by {result["loss_difference"]:.1e} of itself; time '
          f'{result["time_ratio"]:.2f} ({ratios.min():.2f} to '
          f'{ratios.max():.2f}), peak memory {result["memory_ratio"]:.2f} of '
          'the plain one')
    if args.out:
        dump(result, args.out, indent=2)


if __name__ == '__main__':
    main()
