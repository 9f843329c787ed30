"""Export a segmentor to ONNX with dynamic height and width.

Images in, logits of their size out. ``--verify`` runs onnxruntime, also at a
second size. Needs ``pip install 'rtseg_plugin[optional]'``.
"""
import torch
from _export import load, parse_args, verify


def main() -> None:
    args = parse_args(__doc__.split('\n')[0], 'tmp.onnx')
    network, x = load(args)
    # features of one pixel would be another graph
    least = 1 + getattr(network.backbone, 'total_stride', 1)
    height = torch.export.Dim('height', min=least)
    width = torch.export.Dim('width', min=least)
    torch.onnx.export(
        network, (x, ),
        args.output_file,
        dynamo=True,
        input_names=['image'],
        output_names=['logits'],
        dynamic_shapes=({
            2: height,
            3: width
        }, ),
        external_data=False)
    print(f'wrote {args.output_file}')
    if args.verify:
        import onnxruntime
        session = onnxruntime.InferenceSession(
            args.output_file, providers=['CPUExecutionProvider'])

        def run(image: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(
                session.run(None, {'image': image.numpy()})[0])

        verify(network, x, run)


if __name__ == '__main__':
    main()
