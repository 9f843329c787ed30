"""Strip a checkpoint to what inference needs and name it by its hash.

MMSegmentation's script of this name fails on this stack; this one takes its
arguments. Only ``state_dict`` and ``meta`` are kept, so that the result loads
with a bare ``torch.load``, and eight digits of its SHA256 are put into its
name, by which ``torch.hub`` can check it.
"""
import argparse
import os
import os.path as osp
import sys
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError

from rtseg_plugin.utils.official_weights import save_checkpoint
from rtseg_plugin.utils.safe_load import safe_torch_load


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('in_file', help='checkpoint of a training')
    parser.add_argument(
        'out_file', help='file to write; X.pth gives X-{hash}.pth')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        checkpoint = safe_torch_load(args.in_file)
        if 'state_dict' not in checkpoint:
            raise ValueError(f"{args.in_file} has no 'state_dict', only "
                             f'{sorted(map(str, checkpoint))[:5]}')
        stem = args.out_file
        if stem.endswith('.pth'):
            stem = stem[:-len('.pth')]
        unfinished = f'{stem}.unpublished'
        save_checkpoint(checkpoint['state_dict'], unfinished,
                        **checkpoint.get('meta', {}))
        digest = sha256(Path(unfinished).read_bytes()).hexdigest()
        out_file = f'{stem}-{digest[:8]}.pth'
        os.replace(unfinished, out_file)
    except (OSError, ValueError, RuntimeError, UnpicklingError) as error:
        sys.exit(f'error: {error}')
    print(f'wrote {out_file}, {osp.getsize(out_file)} of '
          f'{osp.getsize(args.in_file)} bytes')


if __name__ == '__main__':
    main()
