"""What the exporters share: their arguments, and the check of the result."""
import argparse
import sys
from typing import Callable, Tuple

import torch
from mmengine import Config, DictAction

from rtseg_plugin.apis.network import LogitsNetwork, load_segmentor
from rtseg_plugin.utils.host_tools import resolve_config


def parse_args(description: str, output: str) -> argparse.Namespace:
    """Arguments of MMSegmentation's exporter, with a second size."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='config file, or name of a recipe')
    parser.add_argument('--checkpoint', help='checkpoint file')
    parser.add_argument(
        '--verify',
        action='store_true',
        help='compare with PyTorch at the size and at a second one')
    parser.add_argument('--output-file', default=output)
    parser.add_argument(
        '--shape',
        type=int,
        nargs='+',
        default=[512, 1024],
        help='height and width of the example, or the side of a square')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if len(args.shape) == 1:
        args.shape *= 2
    if len(args.shape) != 2:
        parser.error('--shape takes a side, or a height and a width')
    return args


def load(args: argparse.Namespace) -> Tuple[torch.nn.Module, torch.Tensor]:
    """The network to export and an example image, or exit with an error."""
    try:
        cfg = Config.fromfile(resolve_config(args.config))
        if args.cfg_options is not None:
            cfg.merge_from_dict(args.cfg_options)
        segmentor = load_segmentor(cfg, args.checkpoint)
    except (FileNotFoundError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    if getattr(segmentor, 'stateful', False):
        sys.exit(
            f'error: {args.config} remembers frames, and the state of a '
            'stream cannot be exported yet: export the image network that it '
            'was trained from, or run streams in PyTorch with '
            'rtseg_plugin.apis.VideoSession')
    network = LogitsNetwork(segmentor).eval()
    torch.manual_seed(0)
    return network, torch.randn(1, 3, *args.shape)


def verify(network: torch.nn.Module, x: torch.Tensor,
           run: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Compare an exported network with PyTorch at two sizes.

    Exits with an error if a logit differs by more than 1e-3 of the largest:
    rounding stays two orders below, a fault of an exporter above.
    """
    h, w = x.shape[2:]
    for size in ((h, w), (h + 32, w + 96)):
        image = torch.randn(1, 3, *size)
        with torch.no_grad():
            want = network(image)
        error = float((run(image) - want).abs().max() / want.abs().max())
        print(f'largest difference at {size[0]}x{size[1]}: {error:.2e} of the '
              'largest logit')
        if not error < 1e-3:
            sys.exit('error: the exported network gives other numbers')
