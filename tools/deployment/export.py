"""Export a network to a folder that runs without PyTorch.

    export.py MODEL [CHECKPOINT] --out DIR --format onnx|openvino|pt2|tensorrt

The folder holds the model, ``metadata.json`` and ``report.md``; run it with
``rtseg_plugin.apis.deployed.DeployedNetwork``. Every export is compared with
eager PyTorch, and nothing is written where the numbers differ.
"""
import argparse
import sys

from mmengine import DictAction

from rtseg_plugin.deployment.export import FORMATS, export
from rtseg_plugin.utils.deployed_folder import DeploymentError


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n')[0])
    parser.add_argument('model', help='config file, or name of a recipe')
    parser.add_argument(
        'checkpoint', nargs='?', help='default: the initial weights')
    parser.add_argument('--out', required=True, help='folder to make')
    parser.add_argument('--format', choices=sorted(FORMATS), default='onnx')
    parser.add_argument(
        '--precision',
        choices=sorted({p for _, some in FORMATS.values() for p in some}),
        default='fp32')
    parser.add_argument(
        '--calibration',
        metavar='CONFIG-or-FOLDER',
        help='for int8: a folder of images, or a config, whose training '
        "images are used; default: the network's own config")
    parser.add_argument(
        '--max-drop',
        type=float,
        help='for int8: points of mIoU that may be lost on the validation '
        "set of that config, or with a folder of the network's own; default: "
        '0.5 with a config, not measured with a folder')
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        '--size',
        type=int,
        nargs=2,
        metavar=('H', 'W'),
        help="size of the frames, default: as the config's test pipeline")
    size.add_argument(
        '--dynamic', action='store_true', help='frames of any size')
    parser.add_argument(
        '--output',
        choices=['logits', 'labels'],
        default='logits',
        help='logits at the stride of the head, which the runner turns to '
        'labels (fast), or labels made in the graph')
    parser.add_argument(
        '--raw-input',
        action='store_true',
        help='the graph takes uint8 BGR frames (1, H, W, 3)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        metadata = export(**vars(args))
    except (DeploymentError, OSError) as error:
        sys.exit(f'error: {error}')
    if metadata['checkpoint'] is None:
        print('no checkpoint: the labels are those of random weights')
    if metadata['test_mode'] == 'slide':
        print("note: the config's tests slide a window over the image; what "
              'was exported takes it as a whole, and gives other labels')
    print(f'wrote {args.out}')


if __name__ == '__main__':
    main()
