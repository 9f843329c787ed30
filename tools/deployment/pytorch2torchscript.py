"""Export a segmentor to TorchScript, which PyTorch has deprecated.

MMSegmentation's script of this name fails on this stack; this one takes its
arguments. Images in, logits of their size out; traced, then verified.
PyTorch deprecates tracing as of 2.13: ``export.py --format pt2`` makes what
takes its place.
"""
import warnings

import torch
from _export import load, parse_args, verify, written


class _Logits(torch.nn.Module):
    """The one output by itself."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.network(image)[0]


def main() -> None:
    args = parse_args(__doc__.split('\n')[0], 'tmp.pt', show=True)
    _, network, size = load(args)
    print('note: PyTorch deprecates torch.jit.trace as of 2.13; '
          'export.py --format pt2 makes what takes its place')
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # said above
        traced = torch.jit.trace(
            _Logits(network), torch.randn(1, 3, *size), check_trace=False)
    if args.show:
        print(traced.graph)
    with written(args.output_file) as path:
        traced.save(str(path))
        if args.verify:
            loaded = torch.jit.load(str(path))
            with torch.no_grad():
                verify(network, size, loaded)


if __name__ == '__main__':
    main()
