"""Renders street scenes with a moving camera in the Cityscapes layout.

Usage::

    python tools/dataset_converters/synthetic_street.py OUT
        --seed 0 --size 256x512 --train 400 --val 80 --jobs 2

writes ``leftImg8bit/{train,val}/{city}/`` and ``gtFine/{train,val}/{city}/``
with one annotated frame per scene, the 20th of its snippet, which the stock
``CityscapesDataset`` of MMSegmentation reads unchanged.

``--sequences`` adds ``leftImg8bit_sequence/`` with all frames of the snippets.

``--dense`` adds to that the labels of every frame, next to the annotated one
under ``gtFine/``, and the optical flow from each frame but the last to the
next, in Middlebury's format under ``flow/``. The flow follows the rendered
geometry exactly. It is given for every pixel, also for those that are hidden
in the next frame or leave the picture; what passes behind the camera carries
1e10, Middlebury's mark for unknown. The hood of the ego vehicle moves with
the camera, its flow is 0.

Colours, light and materials are drawn at random for each scene and shared
between classes, and every frame has noise, blur and spoilt parts of its own,
so that context and past frames tell more than a pixel's colour does. How far
colour alone leads is measured at the end, or with ``--measure``, and written
to ``statistics.json``.

The same arguments give the same files whatever ``--jobs``. An interrupted run
started again with the same arguments continues where it was stopped.
"""
from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from rich.progress import Progress

# The siblings are found as well when this file is loaded by its path.
_HERE = str(Path(__file__).resolve().parent)
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

from street.layout import build_scene  # noqa: E402
from street.plan import SPOTLIGHTS  # noqa: E402
from street.renderer import Renderer  # noqa: E402
from street.scene import ANNOTATED_FRAME  # noqa: E402
from street.statistics import (  # noqa: E402
    IMAGE_SUFFIX,
    LABEL_SUFFIX,
    SPLITS,
    annotated_pairs,
    measure,
    read_pair,
    report,
)

STATE_FILE = 'synthetic_street.json'
STATISTICS_FILE = 'statistics.json'
SHEET_FILE = 'contact_sheet.png'
FOLDERS = ('leftImg8bit', 'gtFine', 'leftImg8bit_sequence', 'flow')
CITIES = {
    'train': ('alderford', 'birchport', 'cedarton', 'elmwick'),
    'val': ('hazelbury', 'rowanmere'),
}
PALETTE = np.zeros((256, 3), np.uint8)  # BGR, void is black
PALETTE[:19, ::-1] = [[128, 64, 128], [244, 35, 232], [70, 70, 70],
                      [102, 102, 156], [190, 153, 153], [153, 153, 153],
                      [250, 170, 30], [220, 220, 0], [107, 142, 35],
                      [152, 251, 152], [70, 130, 180], [220, 20, 60],
                      [255, 0, 0], [0, 0, 142], [0, 0, 70], [0, 60, 100],
                      [0, 80, 100], [0, 0, 230], [119, 11, 32]]

_FORMAT = 2  # raise it when the same arguments give other pictures
_MIN_SIZE = (64, 128)
_MAX_SIZE = (2048, 4096)
_MAX_FRAMES = 100  # as far as the streets are furnished
_FLOW_MAGIC = 202021.25


class Parameters(NamedTuple):
    """What determines the files of a data set."""

    seed: int
    height: int
    width: int
    train: int
    val: int
    frames: int | None  # None: only the annotated frame
    dense: bool

    def scenes(self) -> list[tuple[str, int]]:
        """Split and number of every scene."""
        return [(split, index) for split, count in
                (('train', self.train), ('val', self.val))
                for index in range(count)]


def frame_files(parameters: Parameters, split: str, index: int,
                time: int) -> dict[str, list[str]]:
    """Paths of a frame's files, as image, label and flow."""
    cities = CITIES[split]
    city = cities[index // 10 % len(cities)]
    stem = f'{split}/{city}/{city}_{index:06}_{time:06}'
    files: dict[str, list[str]] = {'image': [], 'label': [], 'flow': []}
    if time == ANNOTATED_FRAME:
        files['image'].append(f'leftImg8bit/{stem}{IMAGE_SUFFIX}')
    if parameters.frames is not None:
        files['image'].append(f'leftImg8bit_sequence/{stem}{IMAGE_SUFFIX}')
    if time == ANNOTATED_FRAME or parameters.dense:
        files['label'].append(f'gtFine/{stem}{LABEL_SUFFIX}')
    if parameters.dense and time + 1 < parameters.frames:
        files['flow'].append(f'flow/{stem}_flow.flo')
    return files


def missing_frames(root: Path, parameters: Parameters, split: str,
                   index: int) -> list[int]:
    """Frames of a scene of which a file is missing."""
    times = [ANNOTATED_FRAME]
    if parameters.frames is not None:
        times = list(range(parameters.frames))
    missing = []
    for time in times:
        files = frame_files(parameters, split, index, time).values()
        if not all((root / name).exists() for names in files
                   for name in names):
            missing.append(time)
    return missing


def write_scene(root: Path, parameters: Parameters, split: str,
                index: int) -> None:
    """Render and write what is missing of a scene."""
    times = missing_frames(root, parameters, split, index)
    if not times:
        return
    seed = [parameters.seed, SPLITS.index(split), index]
    # Frames have their own noise, so that each can be rendered alone.
    scene = build_scene(
        np.random.default_rng(seed), SPOTLIGHTS[index % len(SPOTLIGHTS)])
    renderer = Renderer(scene, parameters.height, parameters.width)
    for time in times:
        files = frame_files(parameters, split, index, time)
        frame = renderer.render(
            time, np.random.default_rng([*seed, time + 1]),
            with_flow=bool(files['flow']))
        contents = {
            'image': _png(frame.image),
            'label': _png(frame.label),
            'flow': None if frame.flow is None else _flo(frame.flow)
        }
        for kind, names in files.items():
            for name in names:
                write_file(root / name, contents[kind])


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that it is never seen half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + '.part')
    part.write_bytes(content)
    part.replace(path)


def _png(picture: np.ndarray) -> bytes:
    # Noise hardly compresses, trying harder only takes time.
    return cv2.imencode('.png', picture,
                        (cv2.IMWRITE_PNG_COMPRESSION, 1))[1].tobytes()


def _flo(flow: np.ndarray) -> bytes:
    height, width = flow.shape[:2]
    return b''.join([
        np.float32(_FLOW_MAGIC).tobytes(),
        np.array([width, height], '<i4').tobytes(),
        flow.astype('<f4').tobytes()
    ])


def contact_sheet(root: Path, columns: int = 4, rows: int = 3) -> np.ndarray:
    """Scenes spread over the train split, each above its labels."""
    pairs = annotated_pairs(root, 'train')
    count = min(columns * rows, len(pairs))
    tiles = []
    for place in np.linspace(0, len(pairs) - 1, count).round().astype(int):
        image, label = read_pair(pairs[place])
        tile = np.vstack([image, PALETTE[label]])
        size = (400, round(400 * tile.shape[0] / tile.shape[1]))
        tile = cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
        tiles.append(cv2.copyMakeBorder(tile, 4, 4, 4, 4, cv2.BORDER_CONSTANT,
                                        value=(255, 255, 255)))
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], 255))
    return np.vstack([np.hstack(tiles[start:start + columns])
                      for start in range(0, len(tiles), columns)])


def _write_sheet(root: Path, path: Path) -> None:
    quality = (cv2.IMWRITE_JPEG_QUALITY, 88)
    params = quality if path.suffix in ('.jpg', '.jpeg') else ()
    sheet = cv2.imencode(path.suffix, contact_sheet(root), params)[1]
    write_file(path, sheet.tobytes())


def _write_json(path: Path, content: dict) -> None:
    write_file(path, (json.dumps(content, indent=2) + '\n').encode())


class Refusal(Exception):
    """Why a folder is left as it is."""


def prepare(root: Path, parameters: Parameters, force: bool) -> None:
    """Make the folder ready to be filled or continued, or refuse.

    Args:
        root (Path): The folder.
        parameters (Parameters): What shall be in it.
        force (bool): Whether to replace a data set of other parameters.
    """
    if root.exists() and not root.is_dir():
        raise Refusal(f'{root} is a file')
    wanted = {'format': _FORMAT, **parameters._asdict()}
    state = root / STATE_FILE
    if state.exists():
        try:
            found = json.loads(state.read_text())['parameters']
        except (ValueError, KeyError, TypeError):
            found = {}
        names = sorted({*wanted, *found}, key=[*wanted, *found].index)
        differences = [
            f'{name} is {found.get(name)} there and {wanted.get(name)} here'
            for name in names if found.get(name) != wanted.get(name)]
        if not differences and not force:
            return
        if not force:
            raise Refusal(f'{root} holds another data set: '
                          f'{", ".join(differences)}; --force replaces it')
        for name in FOLDERS:
            shutil.rmtree(root / name, ignore_errors=True)
        for name in (STATISTICS_FILE, SHEET_FILE):
            (root / name).unlink(missing_ok=True)
    elif root.exists() and any(root.iterdir()):
        foreign = [name for name in FOLDERS if (root / name).exists()]
        if foreign:
            # A real Cityscapes folder looks like this: never delete it.
            raise Refusal(f'{root} has {", ".join(foreign)} not made by this '
                          'tool (no ' + STATE_FILE + '); choose another one')
        if not force:
            raise Refusal(f'{root} is not empty; --force writes into it')
    _write_json(state, {'parameters': wanted, 'complete': False})


def _start_worker() -> None:
    # Ctrl-C reaches the whole process group; the parent alone handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def _finished(root: Path, parameters: Parameters,
              scenes: list[tuple[str, int]], jobs: int) -> Iterator[None]:
    """Write scenes, one item for each that is done."""
    write = functools.partial(write_scene, root, parameters)
    if jobs == 1:
        for scene in scenes:
            write(*scene)
            yield
        return
    pool = ProcessPoolExecutor(
        min(jobs, len(scenes)), multiprocessing.get_context('spawn'),
        _start_worker)
    try:
        for future in as_completed(
            [pool.submit(write, *scene) for scene in scenes]):
            future.result()
            yield
    finally:
        pool.shutdown(cancel_futures=True)


def generate(root: Path, parameters: Parameters, jobs: int,
             sheet: Path | None) -> None:
    """Write all that is missing of a data set.

    Args:
        root (Path): The folder, made ready by :func:`prepare`.
        parameters (Parameters): What shall be in it.
        jobs (int): Number of processes.
        sheet (Path, optional): Where to draw the contact sheet; None stands
            for its place in the folder, kept if it is there.
    """
    scenes = parameters.scenes()
    left = [scene for scene in scenes
            if missing_frames(root, parameters, *scene)]
    state = root / STATE_FILE
    content = json.loads(state.read_text())
    if content['complete'] and not left:
        print(f'{root} is complete: nothing to do')
        if sheet is not None:
            _write_sheet(root, sheet)
        return
    if len(left) < len(scenes):
        print(f'{root}: continuing, {len(left)} of {len(scenes)} scenes left')
    _write_json(state, {**content, 'complete': False})
    with Progress() as progress:
        task = progress.add_task('scenes', total=len(scenes),
                                 completed=len(scenes) - len(left))
        for _ in _finished(root, parameters, left, jobs) if left else ():
            progress.advance(task)
    statistics = measure(root)
    _write_json(root / STATISTICS_FILE, statistics)
    print(report(statistics))
    _write_sheet(root, sheet or root / SHEET_FILE)
    _write_json(state, {**content, 'complete': True})


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r'(\d+)x(\d+)', text)
    if not match:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not HEIGHTxWIDTH, such as 256x512')
    height, width = int(match[1]), int(match[2])
    (low, narrow), (high, wide) = _MIN_SIZE, _MAX_SIZE
    if not (low <= height <= high and narrow <= width <= wide
            and height <= width):
        raise argparse.ArgumentTypeError(
            f'{text} is not between {low}x{narrow} and {high}x{wide} or is '
            'higher than wide')
    return height, width


def _whole(low: int, high: int | None = None):
    def parse(text: str) -> int:
        if not re.fullmatch(r'\d+', text) or int(text) < low or (
                high is not None and int(text) > high):
            limit = f'at least {low}' if high is None else f'{low} to {high}'
            raise argparse.ArgumentTypeError(
                f'{text!r} is not a whole number, {limit}')
        return int(text)

    return parse


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix not in ('.png', '.jpg', '.jpeg'):
        raise argparse.ArgumentTypeError(
            f'{text!r} does not end in .png, .jpg or .jpeg')
    return path


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition('\n')[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('out', type=Path, help='folder of the data set')
    add('--seed', type=_whole(0), default=0, help='decides what is drawn')
    add('--size', type=_size, default='256x512', metavar='HxW',
        help='height and width of the images')
    add('--train', type=_whole(1), default=400, help='scenes to train on')
    add('--val', type=_whole(1), default=80, help='scenes to validate on')
    add('--frames', type=_whole(ANNOTATED_FRAME + 1, _MAX_FRAMES), default=30,
        help='frames of a snippet, with --sequences')
    add('--sequences', action='store_true',
        help='write all frames of each snippet')
    add('--dense', action='store_true',
        help='label every frame and write optical flow; implies --sequences')
    add('--jobs', type=_whole(1), default=os.cpu_count() or 1,
        help='processes')
    add('--force', action='store_true',
        help='replace a data set of this tool, write next to other files')
    add('--contact-sheet', type=_picture, metavar='PATH', default=None,
        help=f'where to draw an overview; none stands for OUT/{SHEET_FILE}')
    add('--measure', action='store_true',
        help='only measure the data set in OUT')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command line tool and return its exit status."""
    args = parse_args(argv)
    cv2.setNumThreads(1)  # the processes share the cores already
    if args.measure:
        try:
            statistics = measure(args.out)
        except FileNotFoundError as error:
            print(f'error: {error}', file=sys.stderr)
            return 2
        _write_json(args.out / STATISTICS_FILE, statistics)
        print(report(statistics))
        return 0
    parameters = Parameters(
        args.seed, *args.size, args.train, args.val,
        args.frames if args.sequences or args.dense else None, args.dense)
    again = 'the same command continues'
    try:
        prepare(args.out, parameters, args.force)
        generate(args.out, parameters, args.jobs, args.contact_sheet)
    except Refusal as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f'\ninterrupted; {again}', file=sys.stderr)
        return 130
    except BrokenProcessPool:
        print(f'error: a process died, perhaps of memory; {again}, fewer '
              '--jobs may help', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
