"""Convert an official checkpoint to one that mmseg.apis.init_model loads.

    python tools/model_converters/convert.py NETWORK SRC DST

A tensor that cannot be placed stops it; DST is written whole or not at all.
"""
import argparse
import os.path as osp
import sys
from pickle import UnpicklingError
from typing import Optional

from rtseg_plugin.utils.key_maps import key_maps
from rtseg_plugin.utils.official_weights import save_checkpoint


def parse_args(network: Optional[str]) -> argparse.Namespace:
    maps = key_maps()
    chosen = {network: maps[network]} if network else maps
    parser = argparse.ArgumentParser(
        description='\n\n'.join(
            [__doc__.split('\n')[0]] +
            [f'{name}: {module.__doc__}' for name, module in chosen.items()]),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    if network is None:
        parser.add_argument('network', choices=list(maps))
    parser.add_argument('src', metavar='SRC', help='official checkpoint file')
    parser.add_argument('dst', metavar='DST', help='checkpoint to write')
    parts = [p for module in chosen.values() for p in module.KEY_MAP.parts]
    if parts:
        parser.add_argument(
            '--keep', choices=parts, help='what of a file that holds several '
            f'networks, default: {parts[0]}')
    parser.add_argument(
        '--force', action='store_true', help='overwrite DST if it exists')
    args = parser.parse_args()
    args.network = network or args.network
    args.map = maps[args.network].KEY_MAP
    args.keep = getattr(args, 'keep', None)
    if args.keep is not None and args.keep not in args.map.parts:
        parser.error(f'--keep: files of {args.network} hold one network')
    return args


def main(network: Optional[str] = None) -> None:
    """Convert a file and report, or exit with an error.

    Args:
        network (str, optional): Whose files; None takes it from the command
            line.
    """
    args = parse_args(network)
    try:
        if osp.exists(args.dst) and not args.force:
            raise FileExistsError(f'{args.dst} exists; --force overwrites it')
        result, mapped = args.map.convert(args.src, args.keep)
        state_dict, left_out = result
        save_checkpoint(
            state_dict, args.dst, source=osp.basename(args.src))
    except (OSError, ValueError, RuntimeError, UnpicklingError) as error:
        sys.exit(f'error: {error}')
    print(f'{args.src}: {mapped + len(left_out)} tensors, {mapped} mapped, '
          f'{len(left_out)} left out on purpose; wrote {len(state_dict)} '
          f'tensors to {args.dst}')


if __name__ == '__main__':
    main()
