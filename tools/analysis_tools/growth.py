"""How the time of a network grows: with pixels, batch, memory and classes.

    growth.py --out growth --threads 2
    growth.py --network sctnet-s_1xb4-demo_synthetic-street-256x512 --batches

Networks in their inference form in eager PyTorch, normalised images in,
labels out, initial weights. The values of one curve run in turns. Prints a
table, and a sentence for every curve that a straight line does not fit; writes
``growth.json`` and one page of plots, ``growth.png`` and ``growth.svg``.
"""
import argparse
import inspect
import math
import platform
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
import torch
from mmengine.fileio import dump
from mmseg.registry import MODELS

from rtseg_plugin.deployment.timing import (
    Contender,
    Setting,
    take_turns,
    threads_or_all,
    torch_contender,
)
from rtseg_plugin.utils.deployed_folder import DeploymentError
from rtseg_plugin.utils.host_tools import load_config

NETWORKS = [
    'sctnet-s_1xb4-demo_synthetic-street-256x512',
    'rtformer-slim_1xb4-demo_synthetic-street-256x512',
    'fanet-18_1xb4-demo_synthetic-street-256x512',
    'gain-r18_1xb4-demo_synthetic-street-256x512',
    'sctnet-s-lma_stage1_1xb2-demo_synthetic-street-256x512'
]
UNITS = dict(
    pixels='millions of pixels', batch='images at once',
    memory='frames in the memory', classes='classes')
# a straight line fits if no value is further from it than this share
LINEAR = 0.15


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--network',
        nargs='+',
        default=NETWORKS,
        help='configs or names of recipes; default: one of each family, and '
        'one with a local memory')
    values = dict(nargs='*', help='values of the curve; none leaves it out')
    parser.add_argument('--pixels', type=float, metavar='MILLIONS',
                        default=[0.125, 0.25, 0.5, 1, 2, 4], **values)
    parser.add_argument('--batches', type=int, default=[1, 2, 4, 8], **values)
    parser.add_argument('--memories', type=int, default=[1, 2, 4, 8],
                        metavar='FRAMES', **values)
    parser.add_argument('--classes', type=int, default=[2, 19, 60, 150],
                        **values)
    parser.add_argument(
        '--size', type=int, nargs=2, metavar=('H', 'W'), default=[256, 512],
        help='of the other curves than that of pixels')
    parser.add_argument('--threads', type=int, help='default: all')
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--out', help='folder of the JSON and the plots')
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error('--rounds must be at least 1')
    for name in ('pixels', 'batches', 'memories', 'classes'):
        if any(value <= 0 for value in getattr(args, name)):
            parser.error(f'--{name} are positive')
    return args


def size_of(millions: float) -> tuple:
    """A height and width of twice that, whole strides of every network."""
    height = 32 * max(1, round(math.sqrt(millions * 1e6 / 2) / 32))
    return height, 2 * height


def curves_of(network: str, args, setting: Setting) -> Dict[str, List[tuple]]:
    """By axis, (value, contender) each."""

    def one(setting: Setting, options: Optional[dict] = None) -> Contender:
        return torch_contender(network, None, setting, cfg_options=options)

    neck = load_config(network).model.get('neck') or {}
    sizes = [size_of(millions) for millions in args.pixels]
    curves = dict(
        pixels=[(h * w / 1e6, one(setting._replace(size=(h, w))))
                for h, w in dict.fromkeys(sizes)],
        batch=[(n, one(setting._replace(batch=n))) for n in args.batches],
        classes=[(n, one(setting, {'model.decode_head.num_classes': n}))
                 for n in args.classes])
    if neck and 'memory_size' in inspect.signature(
            MODELS.get(neck.type)).parameters:
        curves['memory'] = [(n, one(setting, {'model.neck.memory_size': n}))
                            for n in args.memories]
    return {axis: curve for axis, curve in curves.items() if curve}


def growth(values: List[float], ms: List[float]) -> Dict[str, Any]:
    """The straight line nearest to a curve, and the power of its growth.

    Args:
        values (list[float]): Where it was measured.
        ms (list[float]): The times, taken as known to a share of themselves.

    Returns:
        dict: ``line`` (intercept, slope), ``off``, the largest distance from
        it as a share of the time, ``power`` (of time over value), ``linear``.
    """
    x, y = np.asarray(values, float), np.asarray(ms, float)
    if len(x) < 3:  # a line fits any two
        return dict(line=None, off=0., power=None, linear=True)
    slope, intercept = np.polyfit(x, y, 1, w=1 / y)
    off = float(np.abs((intercept + slope * x) / y - 1).max())
    power = float(np.polyfit(np.log(x), np.log(y), 1)[0])
    return dict(line=[float(intercept), float(slope)], off=off, power=power,
                linear=off <= LINEAR)


def sentence(row: Dict[str, Any]) -> str:
    """What a curve that is not linear does."""
    values, ms = row['values'], row['ms']
    return (f'{row["network"]} is not linear in {UNITS[row["axis"]]}: from '
            f'{values[0]:g} to {values[-1]:g} the time grows '
            f'{ms[-1] / ms[0]:.2f} times, as the power {row["power"]:.2f}; a '
            f'straight line is off by up to {row["off"]:.0%}')


def plot(rows: List[dict], setting: Setting, out: Path) -> None:
    """A panel for each axis, a line for each network."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot as plt
    axes = [axis for axis in UNITS if any(r['axis'] == axis for r in rows)]
    figure, panels = plt.subplots(
        1, len(axes), figsize=(5 * len(axes), 4.5), squeeze=False,
        layout='constrained')
    for axis, panel in zip(axes, panels[0]):
        for row in rows:
            if row['axis'] == axis:
                panel.plot(row['values'], row['ms'], 'o-',
                           label=row['network'].split('_')[0])
        panel.set_xlabel(UNITS[axis])
        panel.set_ylabel('ms')
        panel.set_xlim(left=0)
        panel.set_ylim(bottom=0)
        panel.legend(fontsize=8)
    figure.suptitle(
        f'eager inference form, labels out, {setting.threads} threads; but '
        f'for pixels at {setting.size[0]}x{setting.size[1]}')
    for ending in ('png', 'svg'):
        figure.savefig(out / f'growth.{ending}', dpi=150)
    plt.close(figure)


def main() -> None:
    args = parse_args()
    setting = Setting(tuple(args.size), threads_or_all(args.threads))
    rows = []
    print('| network | over | value: ms | power |\n|---|---|---|---|')
    for network in args.network:
        try:
            curves = curves_of(network, args, setting)
        except (DeploymentError, FileNotFoundError) as error:
            sys.exit(f'error: {error}')
        for axis in list(curves):
            values, contenders = zip(*curves.pop(axis))
            seconds = np.median(take_turns(contenders, args.rounds), 0)
            ms = 1000 * seconds * [c.frames for c in contenders]
            row = dict(network=network, axis=axis, values=list(values),
                       ms=ms.tolist(), **growth(values, ms))
            rows.append(row)
            cells = ', '.join(f'{v:.3g}: {t:.1f}' for v, t in zip(values, ms))
            power = '' if row['power'] is None else f'{row["power"]:.2f}'
            print(f'| {network} | {UNITS[axis]} | {cells} | {power} |')
    sentences = [sentence(row) for row in rows if not row['linear']]
    print('\n'.join(sentences) or 'every curve is a straight line to '
          f'{LINEAR:.0%}')
    if args.out:
        out = Path(args.out)
        out.mkdir(parents=True, exist_ok=True)
        dump(
            dict(
                setting=setting._asdict(),
                machine=platform.processor() or platform.machine(),
                torch=torch.__version__,
                curves=rows,
                sentences=sentences),
            out / 'growth.json',
            indent=2)
        plot(rows, setting, out)
        print(f'wrote {out}')


if __name__ == '__main__':
    main()
