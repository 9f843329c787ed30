"""Compare networks, backends and precisions in one process, in turns.

    compare.py sctnet-s-street fanet-18_2xb8-80k_cityscapes-1024x1024 FOLDER
    compare.py sctnet-s-street --backends torch-plain torch openvino:int8

Each model (a config, a recipe's name, or a folder of ``export.py``) runs on
each backend, A B A B; ratios are to the first of all, taken within a turn.
Prints a table; ``--out`` gets a JSON and, with ``--miou NAME=VALUE``, a plot
of speed and accuracy as PNG and SVG. Sizes, threads and outputs are the same
for all, or there is an error.
"""
import argparse
import math
import platform
import sys
import tempfile
from pathlib import Path

import mmseg
import numpy as np
import torch
from mmengine.fileio import dump

from rtseg_plugin.deployment.timing import (
    BACKENDS,
    MODES,
    OUTPUTS,
    Setting,
    backend_contender,
    deployed_contender,
    is_folder,
    summarise,
    table,
    threads_or_all,
    time_in_turns,
    torch_contender,
)
from rtseg_plugin.utils.deployed_folder import DeploymentError

# of MMSegmentation's own configs; speed needs no weights
PEERS = {
    'PIDNet-S': 'pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py',
    'DDRNet-23-slim':
    'ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024.py',
    'DDRNet-23': 'ddrnet/ddrnet_23_in1k-pre_2xb6-120k_cityscapes-1024x1024.py',
    'STDC1': 'stdc/stdc1_4xb12-80k_cityscapes-512x1024.py',
    'BiSeNetV2': 'bisenetv2/bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024.py',
    'Fast-SCNN': 'fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024.py',
    'SegFormer-B0':
    'segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024.py',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        'models', nargs='*', help='configs, names of recipes, or folders')
    parser.add_argument(
        '--peers',
        nargs='*',
        choices=sorted(PEERS),
        help="MMSegmentation's, all or those that are named")
    parser.add_argument(
        '--backends',
        nargs='+',
        default=['torch-plain', 'torch'],
        metavar='BACKEND[:PRECISION]',
        help='for configs: torch-plain, torch, onnxruntime, openvino; default '
        'torch-plain torch')
    parser.add_argument(
        '--size', type=int, nargs=2, metavar=('H', 'W'), default=[512, 1024])
    parser.add_argument(
        '--threads', type=int, help='default: all of this process')
    parser.add_argument('--mode', choices=MODES, default='network')
    parser.add_argument('--output', choices=OUTPUTS, default='labels')
    parser.add_argument('--rounds', type=int, default=20)
    parser.add_argument(
        '--miou',
        nargs='+',
        default=[],
        metavar='MODEL=VALUE',
        help='accuracies for the plot, of models as they were named')
    parser.add_argument('--out', help='folder of the JSON and the plots')
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error('--rounds must be at least 1')
    if not args.models and args.peers is None:
        parser.error('name a model, or --peers')
    return args


def contenders_of(name: str, model: str, args: argparse.Namespace,
                  setting: Setting, work: Path) -> list:
    """One model on each backend."""
    if is_folder(model):
        return [deployed_contender(Path(model), setting, name)]
    found = []
    for which in args.backends:
        backend, _, precision = which.partition(':')
        precision = precision or 'fp32'
        if backend in ('torch', 'torch-plain'):
            form = 'plain' if backend == 'torch-plain' else 'inference'
            made = torch_contender(model, None, setting, form, precision)
        elif backend in BACKENDS:
            folder = work / f'{len(list(work.iterdir()))}'
            made = backend_contender(model, None, backend, setting, folder,
                                     precision)
        else:
            raise DeploymentError(
                f'no backend {backend!r}: torch-plain, '
                f'{", ".join(BACKENDS)}')
        found.append(made._replace(name=f'{name}, {which}'))
    return found


def geometric_means(rows: list, seconds: np.ndarray) -> dict:
    """Of each backend's ratios, in a turn, to the first of the same model."""
    first, ratios = {}, {}
    for i, row in enumerate(rows):
        model, _, backend = row['name'].rpartition(', ')
        if not model:
            continue
        turns = seconds[:, i] / seconds[:, first.setdefault(model, i)]
        ratios.setdefault(backend, []).append(float(np.median(turns)))
    return {
        backend: math.exp(sum(map(math.log, some)) / len(some))
        for backend, some in ratios.items()
    }


def plot(rows: list, mious: dict, setting: Setting, out: Path) -> None:
    """Frames per second against mIoU, a point for each row."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot as plt
    figure, axes = plt.subplots(figsize=(8, 5), layout='constrained')
    for row in rows:
        model = row['name'].rpartition(', ')[0] or row['name']
        if model in mious:
            axes.plot(row['frames_per_second'], mious[model], 'o')
            axes.annotate(
                row['name'], (row['frames_per_second'], mious[model]),
                fontsize=7, xytext=(4, 4), textcoords='offset points')
    axes.set_xlabel(
        f'frames per second, {setting.size[0]}x{setting.size[1]}, '
        f'{setting.threads} threads, {setting.mode}, {setting.output} out')
    axes.set_ylabel('mIoU, %')
    for ending in ('png', 'svg'):
        figure.savefig(out / f'speed_accuracy.{ending}', dpi=150)
    plt.close(figure)


def main() -> None:
    args = parse_args()
    try:
        threads = threads_or_all(args.threads)
    except DeploymentError as error:
        sys.exit(f'error: {error}')
    setting = Setting(tuple(args.size), threads, args.mode, args.output)
    models = {name: name for name in args.models}
    if args.peers is not None:
        root = Path(mmseg.__file__).parent / '.mim' / 'configs'
        models.update(
            {name: str(root / PEERS[name]) for name in args.peers or PEERS})
    try:
        mious = {
            name: float(value)
            for name, _, value in (one.rpartition('=') for one in args.miou)
        }
    except ValueError as error:
        sys.exit(f'error: --miou takes MODEL=VALUE: {error}')
    unknown = sorted(mious.keys() - models.keys())
    if unknown:
        sys.exit(f'error: --miou names {", ".join(unknown)}, compared are '
                 f'{", ".join(models)}')
    with tempfile.TemporaryDirectory() as work:
        try:
            contenders = [
                contender for name, model in models.items()
                for contender in contenders_of(name, model, args, setting,
                                               Path(work))
            ]
            seconds = time_in_turns(contenders, args.rounds)
        except DeploymentError as error:
            sys.exit(f'error: {error}')
    rows = summarise(contenders, seconds)
    print(f'{setting.size[0]}x{setting.size[1]}, {setting.threads} threads, '
          f'{setting.mode}, {setting.output} out, {args.rounds} turns; ratios '
          f'to {rows[0]["name"]}')
    print(table(rows))
    means = geometric_means(rows, seconds)
    for backend, mean in means.items():
        print(f'geometric mean over the models, {backend}: {mean:.2f} of '
              f'{next(iter(means))}')
    if args.out:
        out = Path(args.out)
        out.mkdir(parents=True, exist_ok=True)
        dump(
            dict(
                setting=setting._asdict(),
                machine=platform.processor() or platform.machine(),
                torch=torch.__version__,
                rows=rows,
                geometric_means=means,
                seconds=seconds.tolist()),
            out / 'compare.json',
            indent=2)
        if mious:
            plot(rows, mious, setting, out)
        print(f'wrote {out}')


if __name__ == '__main__':
    main()
