"""What the exporters of MMSegmentation's names share."""
import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, Tuple

import torch
from mmengine import DictAction

from rtseg_plugin.deployment.export import (
    TOLERANCES,
    Source,
    config_size,
    load_source,
)
from rtseg_plugin.deployment.graph import InferenceGraph
from rtseg_plugin.deployment.onnx_file import least_side
from rtseg_plugin.utils.deployed_folder import DeploymentError


def parse_args(description: str, output: str,
               show: bool = False) -> argparse.Namespace:
    """Arguments of MMSegmentation's exporter, with a second size.

    Args:
        description (str): Of the script.
        output (str): Default of ``--output-file``.
        show (bool): Whether there is ``--show``. Defaults to False.
    """
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
        help='height and width of the example, or the side of a square; '
        "default: as the config's test pipeline")
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    if show:
        parser.add_argument(
            '--show', action='store_true', help='print the traced graph')
    args = parser.parse_args()
    if args.shape is not None and len(args.shape) == 1:
        args.shape *= 2
    if args.shape is not None and len(args.shape) != 2:
        parser.error('--shape takes a side, or a height and a width')
    return args


def load(
    args: argparse.Namespace
) -> Tuple[Source, torch.nn.Module, Tuple[int, int]]:
    """The source, its network, logits resized, and the example's size.

    Exits with an error where there is none.
    """
    try:
        source = load_source(args.config, args.checkpoint, args.cfg_options)
        if getattr(source.segmentor, 'stateful', False):
            raise DeploymentError(
                f'{args.config} remembers frames: export it, with its state '
                'as inputs and outputs, with tools/deployment/export.py')
        network = InferenceGraph(source.segmentor, 'resized').eval()
        size = tuple(args.shape or config_size(source.cfg) or (512, 1024))
        least = least_side(network)
        if min(size) < least:
            raise DeploymentError(
                f'{source.name} needs images of at least {least} pixels a '
                f'side, got {size[0]}x{size[1]}')
    except DeploymentError as error:
        sys.exit(f'error: {error}')
    return source, network, size


@contextmanager
def written(output_file: str) -> Iterator[Path]:
    """A file to write to, which gets its name if all goes well."""
    path = Path(output_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'{path.stem}.part{path.suffix}')
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    print(f'wrote {path}')


def verify(network: torch.nn.Module, size: Tuple[int, int],
           run: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Compare an exported network with PyTorch at two sizes.

    Exits with an error if a logit differs by more than is allowed in float32
    of an exported folder.
    """
    h, w = size
    allowed = TOLERANCES['fp32']
    torch.manual_seed(0)
    for size in ((h, w), (h + 32, w + 96)):
        image = torch.randn(1, 3, *size)
        with torch.no_grad():
            want = network(image)[0]
        error = float((run(image) - want).abs().max() / want.abs().max())
        print(f'largest difference at {size[0]}x{size[1]}: {error:.2e} of the '
              f'largest logit, allowed {allowed:.0e}')
        if not error <= allowed:
            sys.exit('error: the exported network gives other numbers')
