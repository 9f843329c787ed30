"""Cost of the local memory read: against unfold, at PSP size, in the network.

Prints seconds, peak extra memory and their ratios, as measured in this run.

- 'read': the shipped ``local_attention`` against unfold, forward and
  backward, at the size of LMANet on ERFNet. Unfold is the quicker of its two
  usual forms: all frames at once, or frame by frame.
- 'psp': the shipped one alone at the size of LMANet on PSPNet (unfold would
  need hundreds of gigabytes), with the peak of the whole process.
- 'network': a frame of a video network with a full memory against a frame of
  the image network that it is built on, in turn; LMANet and ERFNet unless
  ``--config`` and ``--baseline`` say otherwise.

Memory is the growth of the process's peak on a CPU, each measurement in a
process of its own, and the allocator's peak on a GPU.
"""
import argparse
import json
import os
import subprocess
import sys
from functools import partial
from typing import Callable, Dict, List

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rtseg_plugin.apis import frame_network, load_segmentor
from rtseg_plugin.models.layers import local_attention
from rtseg_plugin.utils.timing import in_turns, timed

ERF = dict(key=16, value=64, size=(64, 128), frames=4, window=21)
PSP = dict(key=128, value=2048, size=(129, 257), frames=3, window=21)


def unfold_all(query: Tensor, keys: Tensor, values: Tensor,
               window: int) -> Tensor:
    """Every frame's neighbourhoods at once."""
    n, channels, height, width = query.shape
    s, r = keys.shape[1], window // 2

    def spread(x: Tensor) -> Tensor:
        # (N, S, C, R * R, H * W)
        x = F.unfold(x.flatten(0, 1), window, padding=r)
        return x.view(n, s, -1, window * window, height * width)

    logits = (query.view(n, 1, channels, 1, -1) * spread(keys)).sum(2)
    weights = logits.flatten(1, 2).softmax(1).view_as(logits)
    read = (weights.unsqueeze(2) * spread(values)).sum((1, 3))
    return read.view(n, -1, height, width)


def unfold_frames(query: Tensor, keys: Tensor, values: Tensor,
                  window: int) -> Tensor:
    """One frame's neighbourhoods at a time."""
    n, channels, height, width = query.shape
    r = window // 2

    def spread(x: Tensor) -> Tensor:
        # (N, C, R * R, H * W)
        x = F.unfold(x, window, padding=r)
        return x.view(n, -1, window * window, height * width)

    logits = torch.stack([
        (query.view(n, channels, 1, -1) * spread(key)).sum(1)
        for key in keys.unbind(1)
    ], 1)
    weights = logits.flatten(1, 2).softmax(1).view_as(logits)
    read = sum((weight.unsqueeze(1) * spread(value)).sum(2)
               for weight, value in zip(weights.unbind(1), values.unbind(1)))
    return read.view(n, -1, height, width)


METHODS = dict(
    ours=local_attention,
    unfold_all=unfold_all,
    unfold_frames=unfold_frames)


def inputs(sizes: dict, device: str, grad: bool) -> List[Tensor]:
    torch.manual_seed(0)
    key, value, frames = sizes['key'], sizes['value'], sizes['frames']
    return [
        torch.randn(shape, device=device).requires_grad_(grad)
        for shape in ((1, key, *sizes['size']),
                      (1, frames, key, *sizes['size']),
                      (1, frames, value, *sizes['size']))
    ]


def seconds(methods: Dict[str, Callable], device: str,
            repeat: int) -> Dict[str, float]:
    """Best of ``repeat`` rounds in which the methods take turns."""
    methods['ours']()
    best = in_turns(list(methods.values()), repeat, device=device).min(0)
    return dict(zip(methods, best.tolist()))


def status(field: str) -> int:
    """Bytes of a field of /proc/self/status."""
    with open('/proc/self/status') as file:
        line = next(x for x in file if x.startswith(field))
    return int(line.split()[1]) * 1024


def measure_memory(args: argparse.Namespace) -> dict:
    """In a process of its own: extra bytes at the peak of one call."""
    sizes = PSP if args.case == 'psp' else ERF
    tensors = inputs(sizes, args.device, args.backward)
    call = METHODS[args.method]
    small = inputs(dict(sizes, size=(8, 16)), args.device, args.backward)
    warm = call(*small, sizes['window'])
    if args.backward:
        warm.sum().backward()

    def run() -> None:
        out = call(*tensors, sizes['window'])
        if args.backward:
            torch.autograd.grad(out, tensors, torch.ones_like(out))

    if args.device.startswith('cuda'):
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        taken = timed(run, args.device)
        peak = torch.cuda.max_memory_allocated()
    else:
        before = status('VmRSS')
        with open('/proc/self/clear_refs', 'w') as file:
            file.write('5')  # the peak starts anew
        taken = timed(run, args.device)
        peak = status('VmHWM')
    return dict(extra=peak - before, peak=peak, seconds=taken)


def memory_of(args: argparse.Namespace, case: str, method: str,
              backward: bool) -> dict:
    command = [
        sys.executable, __file__, case, '--method', method, '--device',
        args.device, '--threads', str(args.threads)
    ]
    output = subprocess.run(
        command + ['--backward'] * backward,
        check=True,
        capture_output=True,
        text=True,
        env=dict(os.environ)).stdout
    return json.loads(output.splitlines()[-1])


def call_of(method: Callable, backward: bool, device: str) -> Callable:
    """The read, or its gradient alone, as a call without arguments."""
    tensors = inputs(ERF, device, backward)
    if not backward:
        return lambda: method(*tensors, ERF['window'])
    out = method(*tensors, ERF['window'])
    weight = torch.ones_like(out)
    return lambda: torch.autograd.grad(
        out, tensors, weight, retain_graph=True)


def report_read(args: argparse.Namespace) -> None:
    print(f'read at {ERF}, {args.device}, {args.threads} threads', flush=True)
    for backward in (False, True):
        kind = 'backward' if backward else 'forward'
        # gradients need what all frames' neighbourhoods hold in either form
        names = ['ours', 'unfold_frames'] + ['unfold_all'] * (not backward)
        times = seconds(
            {
                name: call_of(METHODS[name], backward, args.device)
                for name in names
            }, args.device, args.repeat)
        extra = {}
        for name in names:
            extra[name] = memory_of(args, 'read', name, backward)['extra']
            print(f'  {kind:9}{name:14}{times[name]:9.4f} s'
                  f'{extra[name] / 1e6:10.1f} MB extra'
                  f'{" (with forward)" if backward else ""}', flush=True)
        rivals = names[1:]
        faster = min(times[name] for name in rivals) / times['ours']
        smaller = min(extra[name] for name in rivals) / extra['ours']
        print(f'  {kind}: {faster:.1f} times faster than the quicker unfold, '
              f'1/{smaller:.1f} of the memory of the smaller one', flush=True)


def report_psp(args: argparse.Namespace) -> None:
    print(f'read at {PSP}, {args.device}, {args.threads} threads')
    for backward in (False, True):
        found = memory_of(args, 'psp', 'ours', backward)
        print(f'  forward{" and backward" if backward else ""}: '
              f'{found["seconds"]:.2f} s, {found["extra"] / 1e9:.2f} GB extra,'
              f' {found["peak"] / 1e9:.2f} GB at the peak of the process',
              flush=True)


@torch.inference_mode()
def report_network(args: argparse.Namespace) -> None:
    frame = torch.rand(1, 3, *args.shape, device=args.device)
    networks = [
        frame_network(
            load_segmentor(name, device=args.device), frame)
        for name in (args.baseline, args.config)
    ]
    alone, memory = in_turns([partial(network, frame) for network in networks],
                             args.frames, 3, args.device).T
    ratio = np.median(memory / alone)
    median = np.median(memory)
    print(f'network at {args.shape[0]}x{args.shape[1]}, {args.device}, '
          f'{args.threads} threads, {args.frames} frames of each in turn\n'
          f'  {args.baseline}: median '
          f'{np.median(alone) * 1e3:.1f} ms\n'
          f'  {args.config}: median {median * 1e3:.1f} ms\n'
          f'  median ratio of neighbours {ratio:.3f}, '
          f'{100 * (ratio - 1):+.1f} %; longest frame with memory '
          f'{memory.max() / median:.2f} times the median')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        'case', nargs='?', choices=['all', 'read', 'psp', 'network'],
        default='all')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--repeat', type=int, default=3)
    parser.add_argument('--frames', type=int, default=30)
    parser.add_argument('--shape', type=int, nargs=2, default=[512, 1024])
    parser.add_argument(
        '--config',
        default='lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py')
    parser.add_argument(
        '--baseline', default='erfnet_2xb6-150e_cityscapes-512x1024.py')
    # for the processes that this script starts
    parser.add_argument('--method', choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument(
        '--backward', action='store_true', help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    if args.method:
        print(json.dumps(measure_memory(args)))
        return
    if args.case in ('all', 'read'):
        report_read(args)
    if args.case in ('all', 'psp'):
        report_psp(args)
    if args.case in ('all', 'network'):
        report_network(args)


if __name__ == '__main__':
    main()
