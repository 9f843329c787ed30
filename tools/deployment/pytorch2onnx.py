"""Export a segmentor to one ONNX file with dynamic batch, height and width.

Images in, logits of their size out; the file's metadata holds classes,
palette, mean, std and channel order. ``--verify`` runs onnxruntime, also at a
second size. ``export.py`` makes a folder that runs by itself.
Needs ``pip install 'rtseg_plugin[onnx]'``.
"""
import sys

import torch
from _export import load, parse_args, verify, written

from rtseg_plugin.deployment.graph import normalisation_of
from rtseg_plugin.deployment.onnx_file import (
    EXAMPLE_SIZE,
    capture,
    describe_onnx,
    write_onnx,
)
from rtseg_plugin.utils.deployed_folder import DeploymentError
from rtseg_plugin.utils.runtimes import need


def main() -> None:
    args = parse_args(__doc__.split('\n')[0], 'tmp.onnx')
    try:
        for module in ('onnx', 'onnxscript'):
            need(module, extra='onnx')
        onnxruntime = need('onnxruntime', extra='onnx') if args.verify else 0
        source, network, size = load(args)
        program = capture(network, (torch.zeros(2, 3, *EXAMPLE_SIZE), ), 'NHW')
        with written(args.output_file) as path:
            write_onnx(program, ['image'], ['logits'], path, 'NHW')
            describe_onnx(
                path,
                dict(
                    normalisation_of(source.segmentor)._asdict(),
                    name=source.name,
                    classes=source.classes,
                    palette=source.palette))
            if args.verify:
                session = onnxruntime.InferenceSession(
                    str(path), providers=['CPUExecutionProvider'])

                def run(image: torch.Tensor) -> torch.Tensor:
                    return torch.from_numpy(
                        session.run(None, {'image': image.numpy()})[0])

                verify(network, size, run)
    except DeploymentError as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
