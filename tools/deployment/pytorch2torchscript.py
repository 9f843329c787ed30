"""Export a segmentor to TorchScript.

MMSegmentation's script of this name fails on this stack; this one takes its
arguments. Images in, logits of their size out; traced, then verified.
"""
import torch
from _export import load, parse_args, verify


def main() -> None:
    args = parse_args(__doc__.split('\n')[0], 'tmp.pt')
    network, x = load(args)
    with torch.no_grad():
        traced = torch.jit.trace(network, x, check_trace=False)
    traced.save(args.output_file)
    print(f'wrote {args.output_file}')
    if args.verify:
        loaded = torch.jit.load(args.output_file)
        with torch.no_grad():
            verify(network, x, loaded)


if __name__ == '__main__':
    main()
