"""The whole road on one machine: data, teacher, student, test, pictures.

Begins with what the trained networks of the package make of a fresh clip.
Then renders the synthetic streets, trains a small SegFormer, with it as
teacher SCTNet-S for a while and that alone for longer, tests and benchmarks
it, all through ``mim``, and writes pictures and a report of one page into OUT.
What a stopped run has finished is not done again; ``--fresh`` starts over. A
GPU is used if there is one.
"""
import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import cv2
import matplotlib
import numpy as np

matplotlib.use('Agg')
# the sibling is found as well when this file is loaded by its path
sys.path.insert(0, str(Path(__file__).resolve().parent))
import matplotlib.pyplot as plt  # noqa: E402
from _demo import call, mim, render, scalars, test, train  # noqa: E402

TEACHER = 'segformer_mit-b0_1xb12-demo_synthetic-street-128x256'
# with the teacher, on small crops, on whole scenes; each starts from the last
STAGES = ('sctnet-s_1xb12-demo_synthetic-street-128x256',
          'sctnet-s-plain_1xb8-demo_synthetic-street-128x256',
          'sctnet-s-plain_1xb4-demo_synthetic-street-256x512')
STUDENT = STAGES[-1]
CLIP_SEED = 2024  # of no training


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', default='demo', help='folder of the report')
    parser.add_argument('--data', default='data/synthetic_street')
    parser.add_argument('--work-dirs', default='work_dirs')
    parser.add_argument(
        '--iterations', type=int, help='of each training, for a quick look')
    parser.add_argument('--train', type=int, default=400, help='scenes')
    parser.add_argument('--val', type=int, default=80, help='scenes')
    parser.add_argument(
        '--fresh', action='store_true', help='remove what is there first')
    return parser.parse_args()


def fresh_clip(args, logs: Path, out: Path) -> None:
    """What the networks of the package make of a street they never saw."""
    from rtseg_plugin.apis import Segmentor
    from rtseg_plugin.utils.packaged_weights import packaged_networks
    root = Path(args.work_dirs, 'fresh_clip')
    render(str(root), 1, 1, '--dense', '--frames', '20', '--seed',
           str(CLIP_SEED), log=logs / 'fresh_clip.txt')
    frames = sorted(
        (root / 'leftImg8bit_sequence' / 'val').rglob('*.png'))[::6]
    columns = {'image': [cv2.imread(str(path)) for path in frames]}
    for name in packaged_networks():
        segmentor = Segmentor(name)
        columns[name] = [
            result.overlay(0.6)
            for result in segmentor.predict(str(frames[0].parent))
        ][::6]
    columns['truth'] = truth(columns['image'], frames, segmentor.palette)
    write_sheet(columns, out)


def truth(images: List[np.ndarray], paths: List[Path],
          palette: Sequence) -> List[np.ndarray]:
    """Images or frames, of these files, under their labels; void is black."""
    from rtseg_plugin.apis.results import colour_table, overlay
    table, pictures = colour_table(palette, len(palette)), []
    for image, path in zip(images, paths):
        label = str(path).replace('leftImg8bit.png',
                                  'gtFine_labelTrainIds.png')
        label = label.replace('leftImg8bit_sequence', 'gtFine', 1)
        label = label.replace('leftImg8bit', 'gtFine', 1)
        labels = cv2.imread(label, cv2.IMREAD_GRAYSCALE)
        pictures.append(overlay(image, labels, table, 0.6))
    return pictures


def write_sheet(columns: Dict[str, Sequence[np.ndarray]], out: Path) -> None:
    """Pictures of one size in columns under their names."""
    sheet = np.hstack([np.vstack(column) for column in columns.values()])
    strip = np.full((28, sheet.shape[1], 3), 255, np.uint8)
    width = sheet.shape[1] // len(columns)
    for i, text in enumerate(columns):
        cv2.putText(strip, text, (i * width + 8, 20),
                    cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.imwrite(str(out), np.vstack([strip, sheet]))


def train_student(args, logs: Path) -> Path:
    """Train the teacher, and the student in its stages; its checkpoint."""
    last = train(
        TEACHER, Path(args.work_dirs, TEACHER), args.data,
        log=logs / f'train_{TEACHER}.txt', iterations=args.iterations)
    option = 'model.teacher.checkpoint'
    for name in STAGES:
        last = train(
            name, Path(args.work_dirs, name), args.data, f'{option}={last}',
            log=logs / f'train_{name}.txt', iterations=args.iterations)
        option = 'load_from'
    return last


def overlay_sheet(checkpoint: Path, args, out: Path) -> None:
    """Image, truth and prediction of some validation scenes."""
    from rtseg_plugin.apis import Segmentor
    segmentor = Segmentor(STUDENT, str(checkpoint), device='cpu')
    images = sorted(Path(args.data, 'leftImg8bit', 'val').rglob('*.png'))
    paths = images[::max(len(images) // 6, 1)][:6]
    pictures = [cv2.imread(str(path)) for path in paths]
    columns = {
        'image': pictures,
        'truth': truth(pictures, paths, segmentor.palette),
        'prediction': [
            result.overlay(0.6)
            for result in segmentor.predict([str(path) for path in paths])
        ]
    }
    write_sheet(columns, out)


def curves(args, out: Path) -> None:
    """Losses and mIoU over the iterations of all trainings."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    for label, names in (('SegFormer-B0 (teacher)', [TEACHER]),
                         ('SCTNet-S', STAGES)):
        points: Dict[str, List[Tuple[int, float]]] = dict(
            loss=[], align=[], mIoU=[])
        begin = 0
        for name in names:
            entries = scalars(Path(args.work_dirs, name))
            for entry in entries:
                step = begin + entry['step']
                align = [v for k, v in entry.items() if k.startswith('align')]
                if align:
                    points['align'].append((step, sum(align)))
                if 'decode.loss_ohem' in entry:
                    points['loss'].append((step, entry['decode.loss_ohem']))
                if 'mIoU' in entry:
                    points['mIoU'].append((step, entry['mIoU']))
            begin += max(entry['step'] for entry in entries)
        left.plot(*zip(*points['loss']), label=f'{label}: hard pixels')
        if points['align']:
            left.plot(*zip(*points['align']), '--',
                      label=f'{label}: alignment, sum')
        right.plot(*zip(*points['mIoU']), marker='o', label=label)
    left.set(xlabel='iteration', ylabel='loss', yscale='log')
    best = max([y for line in right.lines for y in line.get_ydata()] + [1])
    right.set(
        xlabel='iteration', ylabel='mIoU on val, %', ylim=(0, 1.1 * best))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)


def report(args, out: Path, results: dict) -> None:
    """One page about the run."""
    base, speed = results['baselines'], results['speed']
    network = speed['network'][-1]
    predict = speed['predict'][-1]
    share = network['share_of_conv_peak']
    shape = 'x'.join(map(str, network['shape']))
    iterations = ' + '.join(map(str, results['iterations']))
    rows = [
        ('SCTNet-S', results['student']),
        ('SegFormer-B0, the teacher of its first iterations',
         results['teacher']),
        ('linear classifier on pixel colour',
         dict(mIoU=100 * base['colour_classifier']['miou'],
              aAcc=100 * base['colour_classifier']['accuracy'])),
        ('always the most frequent class',
         dict(mIoU=100 * base['most_frequent_class']['miou'],
              aAcc=100 * base['most_frequent_class']['accuracy'])),
    ]
    table = '\n'.join(f'| {name} | {r["mIoU"]:.2f} | {r["aAcc"]:.2f} |'
                      for name, r in rows)
    out.write_text(f"""# SCTNet-S on synthetic streets

{args.train} rendered scenes to train on, {args.val} to validate on, 256x512,
the 19 classes of Cityscapes. SCTNet-S was trained for {iterations}
iterations: with the teacher, on small crops, on whole scenes. A
demonstration, no benchmark. `make demo` wrote this page.

What the networks that the package brings, trained for longer on 2000 scenes,
make of a clip that none of them saw:

![image, predictions, truth](packaged.png)

| on the validation scenes | mIoU, % | pixel accuracy, % |
|---|---|---|
{table}

![loss and mIoU](curves.png)

![image, truth, prediction](overlays.png)

## Speed

{speed['device']} ({speed['device_name']}), {speed['dtype']},
{speed['threads']} threads, torch {speed['torch']}.

| | input | median, ms | p90, ms | images / s |
|---|---|---|---|---|
| network alone, logits at the size of the input | {shape} |\
 {network['median_ms']:.1f} | {network['p90_ms']:.1f} |\
 {network['images_per_second']:.2f} |
| stock `predict`, {predict['source']} |\
 {'x'.join(map(str, predict['shape']))} | {predict['median_ms']:.1f} |\
 {predict['p90_ms']:.1f} | {predict['images_per_second']:.2f} |

{network['macs'] / 1e9:.2f} G multiply-adds, {share:.0%} of the convolution
peak of this machine ({network['peak_gmacs_per_second']:.0f} G multiply-adds
per second, measured in the same run).

## Classes

```
{results['student']['table']}
```
""")


def main() -> None:
    args = parse_args()
    out, logs = Path(args.out), Path(args.work_dirs, 'demo_logs')
    if args.fresh:
        for name in (TEACHER, *STAGES):
            shutil.rmtree(Path(args.work_dirs, name), ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)
    for folder in (out, logs):
        folder.mkdir(parents=True, exist_ok=True)
    start = time.time()
    fresh_clip(args, logs, out / 'packaged.png')
    print(f'  {out}/packaged.png: the networks of the package on a new clip',
          flush=True)
    render(args.data, args.train, args.val, '--contact-sheet',
           str(out / 'data.png'), log=logs / 'data.txt')
    results = dict(
        baselines=json.loads(Path(args.data, 'statistics.json').read_text()))
    student = train_student(args, logs)
    logged = {name: scalars(Path(args.work_dirs, name))
              for name in (TEACHER, *STAGES)}
    results['iterations'] = [
        max(entry['step'] for entry in logged[name]) for name in STAGES]
    results['teacher'] = [x for x in logged[TEACHER] if 'mIoU' in x][-1]
    results['student'] = test(
        STUDENT, student, Path(args.work_dirs, 'test_student'), args.data,
        log=logs / 'test_student.txt')
    print(results['student']['table'])
    work_dir = Path(args.work_dirs, 'benchmark')
    call('benchmark', *mim('run', 'rtseg_plugin', 'benchmark', STUDENT,
                           str(student), '--work-dir', str(work_dir),
                           '--iterations', '20', '--cfg-options',
                           f'test_dataloader.dataset.data_root={args.data}/'),
         log=logs / 'benchmark.txt')
    results['speed'] = json.loads(
        max(work_dir.glob('fps_*.json')).read_text())
    overlay_sheet(student, args, out / 'overlays.png')
    curves(args, out / 'curves.png')
    report(args, out / 'report.md', results)
    print(f'\n=== {out}/report.md, packaged.png, overlays.png, '
          'curves.png, data.png '
          f'({(time.time() - start) / 60:.1f} minutes)')
    for name in ('student', 'teacher'):
        print(f'{name}: mIoU {results[name]["mIoU"]:.2f} %')


if __name__ == '__main__':
    main()
