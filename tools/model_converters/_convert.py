"""What the converters share: their command line and their report."""
import argparse
import os.path as osp
import sys
from pickle import UnpicklingError
from typing import Callable, Dict, Sequence, Union

from torch import Tensor

from rtseg_plugin.utils.official_weights import (
    KeyRule,
    convert_state_dict,
    load_official,
    save_checkpoint,
)


def parser(network: str) -> argparse.ArgumentParser:
    """Parser with the arguments that every converter has."""
    result = argparse.ArgumentParser(
        description=f'Convert an official {network} checkpoint to one that '
        'mmseg.apis.init_model loads.')
    result.add_argument('src', metavar='SRC', help='official checkpoint file')
    result.add_argument('dst', metavar='DST', help='checkpoint to write')
    result.add_argument(
        '--force', action='store_true', help='overwrite DST if it exists')
    return result


def run(args: argparse.Namespace,
        rules: Union[Sequence[KeyRule], Callable[[Dict[str, Tensor]],
                                                 Sequence[KeyRule]]],
        load: Callable[[str], Dict[str, Tensor]] = load_official,
        finish: Callable[[Dict[str, Tensor]], None] = None) -> None:
    """Convert ``args.src`` to ``args.dst`` and report, or exit with an error.

    Args:
        args (argparse.Namespace): With ``src``, ``dst`` and ``force``.
        rules (Sequence[tuple[str, str | None]] | Callable): The key map, or
            what returns it for the official tensors.
        load (Callable): Reads the official file.
        finish (Callable, optional): Last changes to the converted tensors,
            in place.
    """
    try:
        if osp.exists(args.dst) and not args.force:
            raise FileExistsError(f'{args.dst} exists; --force overwrites it')
        official = load(args.src)
        if callable(rules):
            rules = rules(official)
        state_dict, left_out = convert_state_dict(official, rules, args.src)
        if finish is not None:
            finish(state_dict)
        save_checkpoint(
            state_dict, args.dst, source=osp.basename(args.src))
    except (OSError, ValueError, RuntimeError, UnpicklingError) as error:
        sys.exit(f'error: {error}')
    mapped = len(official) - len(left_out)
    print(f'{args.src}: {len(official)} tensors, {mapped} mapped, '
          f'{len(left_out)} left out on purpose; wrote {len(state_dict)} '
          f'tensors to {args.dst}')
