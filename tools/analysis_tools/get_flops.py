"""Parameters and multiply-adds of a segmentor's inference network.

MMSegmentation's script of this name fails on this stack; this one takes its
arguments. The resize of the logits to the input is included, auxiliary heads
and a teacher are not; of a video network a frame with a full memory is
counted. ``--by-module`` prints mmengine's table.
"""
import argparse
import sys

import torch
from mmengine import DictAction
from mmengine.analysis import ActivationAnalyzer, parameter_count
from mmengine.analysis.print_helper import (
    _format_size,
    complexity_stats_table,
)

from rtseg_plugin.apis.network import frame_network, load_segmentor
from rtseg_plugin.utils.host_tools import load_config
from rtseg_plugin.utils.multiply_adds import count_multiply_adds


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('config', help='config file, or name of a recipe')
    parser.add_argument(
        '--shape',
        type=int,
        nargs='+',
        default=[1024, 2048],
        help='height and width of the input, or the side of a square')
    parser.add_argument(
        '--by-module', action='store_true', help='print a table of modules')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if len(args.shape) == 1:
        args.shape *= 2
    if len(args.shape) != 2:
        parser.error('--shape takes a side, or a height and a width')
    return args


def main() -> None:
    args = parse_args()
    try:
        cfg = load_config(args.config, args.cfg_options)
        x = torch.rand(1, 3, *args.shape)
        network = frame_network(load_segmentor(cfg), x)
    except (FileNotFoundError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    counter = count_multiply_adds(network, x)
    flops, params = counter.total(), parameter_count(network)['']
    line = '=' * 30
    print(f'{line}\nCompute type: multiply-adds of one random image\n'
          f'Input shape: {tuple(args.shape)}\n'
          f'Flops: {_format_size(flops)}\n'
          f'Params: {_format_size(params)} ({params:,})\n'
          f'{line}')
    if args.by_module:
        print(complexity_stats_table(
            flops=counter,
            activations=ActivationAnalyzer(network, (x, )),
            show_param_shapes=True))


if __name__ == '__main__':
    main()
