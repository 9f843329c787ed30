"""What a memory of past frames is worth: LMANet on the synthetic streets.

Renders scenes and snippets; trains ERFNet on single images, LMANet in two
stages from it with memories of 1, 2 and 4 frames, as a control ERFNet's
decoder alone for as many iterations, and SCTNet-S with the memory (its image
network is that of ``street_demo.py``, trained if it is not there); tests all
on whole snippets with true labels and flow, times them in turns, and writes a
table, a video with its latencies and pictures into OUT. What a stopped run has
finished is not done again. A GPU is used if there is one.
"""
import argparse
import ast
import json
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np
import torch
from mmengine.config import Config

from rtseg_plugin.apis import VideoSession, frame_network, load_segmentor
from rtseg_plugin.apis.results import colour_table
from rtseg_plugin.utils.host_tools import load_config
from rtseg_plugin.utils.timing import in_turns

# the siblings are found as well when this file is loaded by its path
sys.path.insert(0, str(Path(__file__).resolve().parent))
import street_demo  # noqa: E402
from _demo import TOOLS, call, render, test, train  # noqa: E402

SUFFIX = '_1xb4-demo_synthetic-street-128x256'
IMAGE = 'erfnet_1xb8-demo_synthetic-street-128x256'
STAGES = tuple(f'lmanet-erfnet-s4-r21_stage{i}{SUFFIX}' for i in (1, 2))
BLEND = tuple(f'erfnet-blend-s4-r21_stage{i}{SUFFIX}' for i in (1, 2))
CONTROL = f'erfnet-stream{SUFFIX}'
SCTNET = 'sctnet-s-lma_stage1_1xb2-demo_synthetic-street-256x512'


class Variant(NamedTuple):
    """A row of the table: what it is, and how it is built."""

    title: str
    memory: int
    config: str
    checkpoint: Path
    options: Tuple[str, ...]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', default='demo_video')
    parser.add_argument(
        '--stills', default='data/synthetic_street', help='images, 400 + 80')
    parser.add_argument(
        '--data', default='data/synthetic_street_video', help='snippets')
    parser.add_argument('--work-dirs', default='work_dirs')
    parser.add_argument(
        '--iterations', type=int, help='of every training, for a quick look')
    parser.add_argument(
        '--memory', type=int, nargs='+', default=[1, 2, 4],
        help='memory sizes to train, default 1 2 4')
    parser.add_argument(
        '--train', type=int, default=120, help='snippets to train on')
    parser.add_argument(
        '--val', type=int, default=24, help='snippets to test on')
    parser.add_argument(
        '--fresh', action='store_true', help='remove what is there first')
    return parser.parse_args()


def run(args, logs: Path, config: str, name: str, data: str, *options: str,
        times: int = 1) -> Path:
    """Train one recipe, ``times`` as long if ``--iterations`` is given."""
    iterations = args.iterations and times * args.iterations
    return train(config, Path(args.work_dirs, name), data, *options,
                 log=logs / f'train_{name}.txt', iterations=iterations)


def single_frame(args, logs: Path) -> List[Variant]:
    """Train ERFNet on images, and its decoder on frames as the control."""
    image = run(args, logs, IMAGE, IMAGE, args.stills)
    control = run(args, logs, CONTROL, CONTROL, args.data,
                  f'load_from={image}', times=2)
    return [
        Variant('ERFNet', 0, CONTROL, image, ()),
        Variant('ERFNet, decoder trained on', 0, CONTROL, control, ())
    ]


def with_memory(args, logs: Path, image: Path, memory: int,
                stages: Sequence[str] = STAGES,
                title: str = 'LMANet on ERFNet') -> Variant:
    """Train a memory on ERFNet in two stages."""
    options = (f'model.neck.memory_size={memory}', )
    clips = (f'train_dataloader.dataset.clip_length={memory + 1}',
             f'val_dataloader.dataset.clip_length={memory + 1}')
    checkpoint = image
    for config in stages:
        name = config.replace('-s4-', f'-s{memory}-')
        checkpoint = run(args, logs, config, name, args.data, *options, *clips,
                         f'load_from={checkpoint}')
    return Variant(title, memory, config, checkpoint, options)


def sctnet_variants(args, logs: Path) -> List[Variant]:
    """Train SCTNet-S on images and then its memory."""
    stills = argparse.Namespace(
        data=args.stills, work_dirs=args.work_dirs, iterations=args.iterations)
    image = street_demo.train_student(stills, logs)
    memory = run(args, logs, SCTNET, SCTNET, args.data, f'load_from={image}')
    alone = ('model.neck=None', )
    return [
        Variant('SCTNet-S', 0, SCTNET, image, alone),
        Variant('SCTNet-S with BlendFusion', 4, SCTNET, memory, ())
    ]


def config_of(variant: Variant) -> Config:
    """Its config, options included."""
    return load_config(variant.config, {
        key: ast.literal_eval(value)
        for key, value in (x.split('=', 1) for x in variant.options)
    })


@torch.inference_mode()
def milliseconds(models: List[torch.nn.Module], sizes: List[Tuple[int, int]],
                 rounds: int = 30, warm_up: int = 5) -> List[float]:
    """Median time of a frame with a full memory, the models in turns."""
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    frames = [torch.rand(1, 3, *size, device=device) for size in sizes]
    networks = [
        frame_network(model.to(device), frame)
        for model, frame in zip(models, frames)
    ]
    taken = in_turns(list(map(partial, networks, frames)), rounds, warm_up,
                     device.type)
    return (1000 * np.median(taken, 0)).tolist()


def snippet(args, folder: Path) -> Tuple[List[Path], List[Path]]:
    """Frames of one snippet in a folder of their own, and their labels."""
    root = Path(args.data)
    annotated = sorted((root / 'leftImg8bit/val').rglob('*.png'))
    stem = annotated[min(3, len(annotated) - 1)].name.rsplit('_', 2)[0]
    frames = sorted((root / 'leftImg8bit_sequence/val').rglob(f'{stem}_*'))
    folder.mkdir(parents=True, exist_ok=True)
    for frame in frames:
        link = folder / frame.name
        if not link.exists():
            link.symlink_to(frame.resolve())
    labels = [
        Path(str(frame).replace('leftImg8bit_sequence', 'gtFine').replace(
            'leftImg8bit.png', 'gtFine_labelTrainIds.png'))
        for frame in frames
    ]
    return frames, labels


def sheet(without: torch.nn.Module, memory: torch.nn.Module,
          size: Tuple[int, int], frames: List[Path], labels: List[Path],
          out: Path) -> None:
    """Frames that follow each other: truth, without and with a memory."""
    # behind the package, which makes room for mmcv without its compiled part
    from mmseg.datasets import CityscapesDataset
    palette = colour_table(CityscapesDataset.METAINFO['palette'], 19)
    sessions = [VideoSession(m.cpu(), size=size) for m in (without, memory)]
    rows = []
    for path, label in zip(frames, labels):
        frame = cv2.imread(str(path))
        found = [session.feed(frame).labels for session in sessions]
        truth = cv2.imread(str(label), cv2.IMREAD_GRAYSCALE)
        rows.append((frame, *(palette[x] for x in (truth, *found))))
    names = ('frame', 'truth', 'without memory', 'with memory')
    street_demo.write_sheet(dict(zip(names, zip(*rows[-5:]))), out)


def pixels_of(label: Path) -> List[str]:
    """Pixels worth a look: inside of a car or a person, on a pole, a sign."""
    labels = cv2.imread(str(label), cv2.IMREAD_GRAYSCALE)
    found = []
    for classes in ((13, ), (11, 12), (5, 6, 7)):
        inside = np.isin(labels, classes).astype(np.uint8)
        # away from the borders of the class and of the picture
        distance = cv2.distanceTransform(
            cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT),
            cv2.DIST_L2, 3)[1:-1, 1:-1]
        if distance.max() > 1:
            row, column = np.unravel_index(distance.argmax(), distance.shape)
            found.append(f'{row},{column}')
    return found or ['128,256']


def markdown(results: List[dict]) -> str:
    """The table."""
    lines = [
        '| network | input | S | mIoU, % | mTC, % | mVC8, % | '
        'mVC8 strict, % | ms / frame |', '|---|---|---|---|---|---|---|---|'
    ]
    for row in results:
        lines.append(
            f'| {row["title"]} | {row["size"]} | {row["memory"]} | '
            f'{row["mIoU"]:.2f} | {row["mTC"]:.2f} | {row["mVC8"]:.2f} | '
            f'{row["mVC8_strict"]:.2f} | {row["ms"]:.1f} |')
    return '\n'.join(lines)


def main() -> None:
    args = parse_args()
    out, logs = Path(args.out), Path(args.work_dirs, 'demo_logs')
    if args.fresh:
        names = [IMAGE, CONTROL, SCTNET]
        names += [config.replace('-s4-', f'-s{memory}-')
                  for config in STAGES + BLEND for memory in args.memory]
        for folder in (out, *(Path(args.work_dirs, name) for name in names)):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in (out, logs):
        folder.mkdir(parents=True, exist_ok=True)
    start = time.time()
    render(args.stills, 400, 80, log=logs / 'data.txt')
    render(args.data, args.train, args.val, '--dense', '--frames', '20',
           log=logs / 'data_video.txt')
    variants = single_frame(args, logs)
    image = variants[0].checkpoint
    variants += [
        with_memory(args, logs, image, memory) for memory in args.memory
    ]
    variants.append(
        with_memory(args, logs, image, args.memory[-1], BLEND,
                    'ERFNet with BlendFusion'))
    variants += sctnet_variants(args, logs)
    flow = (f'test_evaluator.1.flow.root={args.data}/flow/val',
            'test_evaluator.1.flow.img_root='
            f'{args.data}/leftImg8bit_sequence/val')
    results: List[Dict] = []
    for number, variant in enumerate(variants):
        name = f'test_video_{number}_s{variant.memory}'
        metrics = test(variant.config, variant.checkpoint,
                       Path(args.work_dirs, name), args.data, *flow,
                       *variant.options, log=logs / f'{name}.txt')
        results.append({**metrics, **variant._asdict()})
    models = [
        load_segmentor(config_of(variant), str(variant.checkpoint))
        for variant in variants
    ]
    sizes = [config_of(variant).crop_size for variant in variants]
    for row, size, taken in zip(results, sizes, milliseconds(models, sizes)):
        row.update(ms=taken, size='x'.join(map(str, size)))
        row['checkpoint'] = str(row['checkpoint'])
    print(markdown(results))
    (out / 'results.json').write_text(json.dumps(results, indent=1))

    # BlendFusion's, behind ERFNet's two and LMANet's
    last = 2 + len(args.memory)
    best = variants[last]
    config = out / 'config.py'
    config_of(best).dump(str(config))
    frames, labels = snippet(args, out / 'snippet')
    call('video demo', sys.executable, str(TOOLS / 'video_demo.py'),
         str(out / 'snippet'), '--config', str(config), '--checkpoint',
         str(best.checkpoint), '--out', str(out), log=logs / 'video_demo.txt')
    call('where pixels look', sys.executable,
         str(TOOLS / 'analysis_tools/visualize_memory.py'), str(config),
         str(best.checkpoint), str(out / 'snippet'), '--pixels',
         *pixels_of(labels[-1]), '--out', str(out / 'attention.png'),
         log=logs / 'attention.txt')
    sheet(models[1], models[last], sizes[last], frames, labels,
          out / 'predictions.png')
    report(args, results, out / 'report.md')
    print(f'\n=== {out}/report.md, snippet_overlay.mp4, predictions.png, '
          f'attention.png ({(time.time() - start) / 60:.1f} minutes)')


def report(args, results: List[dict], path: Path) -> None:
    """One page about the runs."""
    device = (torch.cuda.get_device_name() if torch.cuda.is_available() else
              f'CPU, {torch.get_num_threads()} threads')
    path.write_text(f"""# A memory of past frames on synthetic streets

Trained on {args.train} snippets, tested on all 20 frames of {args.val} others
(256x512, the 19 classes of Cityscapes). S frames are remembered. mTC along the
rendered flow; ms of a frame with a full memory on {device}, torch
{torch.__version__}, the networks in turns. A demonstration, no benchmark.

{markdown(results)}

"decoder trained on": ERFNet's decoder for as many iterations as LMANet's two
stages together, on the same frames.

![frame, truth, prediction without and with memory](predictions.png)

![where pixels of the last frame look](attention.png)
""")


if __name__ == '__main__':
    main()
