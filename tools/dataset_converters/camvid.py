"""Convert CamVid to the index labels that CamVidDataset reads.

Reads the original labels (32 colours) and the ones that came with SegNet
(indexes 0 to 10, 11 for void), and never invents a split: it takes the
folders of SRC, {train,val,test} beside {train,val,test}{_labels,annot}, or
the lists that are passed in. ``--splits train val`` converts these alone.
"""
import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from mmengine.utils import ProgressBar
from PIL import Image

SPLITS = dict(train=367, val=101, test=233)
"""The usual split and its sizes."""

RESULTS = ('images', 'labels', 'train.txt', 'val.txt', 'test.txt',
           'trainval.txt')
"""What a conversion leaves in OUT."""

VOID = 255
_UNKNOWN = 254

CLASSES = ('Sky', 'Building', 'Column_Pole', 'Road', 'Sidewalk', 'Tree',
           'SignSymbol', 'Fence', 'Car', 'Pedestrian', 'Bicyclist')
"""The 11 classes in the order of their index."""

COLOURS = {
    'Animal': (64, 128, 64),
    'Archway': (192, 0, 128),
    'Bicyclist': (0, 128, 192),
    'Bridge': (0, 128, 64),
    'Building': (128, 0, 0),
    'Car': (64, 0, 128),
    'CartLuggagePram': (64, 0, 192),
    'Child': (192, 128, 64),
    'Column_Pole': (192, 192, 128),
    'Fence': (64, 64, 128),
    'LaneMkgsDriv': (128, 0, 192),
    'LaneMkgsNonDriv': (192, 0, 64),
    'Misc_Text': (128, 128, 64),
    'MotorcycleScooter': (192, 0, 192),
    'OtherMoving': (128, 64, 64),
    'ParkingBlock': (64, 192, 128),
    'Pedestrian': (64, 64, 0),
    'Road': (128, 64, 128),
    'RoadShoulder': (128, 128, 192),
    'Sidewalk': (0, 0, 192),
    'SignSymbol': (192, 128, 128),
    'Sky': (128, 128, 128),
    'SUVPickupTruck': (64, 128, 192),
    'TrafficCone': (0, 0, 64),
    'TrafficLight': (0, 64, 64),
    'Train': (192, 64, 128),
    'Tree': (128, 128, 0),
    'Truck_Bus': (192, 128, 192),
    'Tunnel': (64, 0, 64),
    'VegetationMisc': (192, 192, 0),
    'Void': (0, 0, 0),
    'Wall': (64, 192, 0),
}
"""RGB colours of the original labels."""

MERGED = {
    'Archway': 'Building',
    'Bridge': 'Building',
    'Tunnel': 'Building',
    'Wall': 'Building',
    'TrafficCone': 'Column_Pole',
    'LaneMkgsDriv': 'Road',
    'LaneMkgsNonDriv': 'Road',
    'ParkingBlock': 'Sidewalk',
    'RoadShoulder': 'Sidewalk',
    'VegetationMisc': 'Tree',
    'Misc_Text': 'SignSymbol',
    'TrafficLight': 'SignSymbol',
    'OtherMoving': 'Car',
    'SUVPickupTruck': 'Car',
    'Train': 'Car',
    'Truck_Bus': 'Car',
    'Animal': 'Pedestrian',
    'CartLuggagePram': 'Pedestrian',
    'Child': 'Pedestrian',
    'MotorcycleScooter': 'Bicyclist',
}
"""What --merge makes of the other classes."""

_SUFFIXES = ('.png', '.jpg', '.jpeg')


class Pair(NamedTuple):
    """An image and its label file."""

    name: str
    image: Path
    label: Path


class ConversionError(Exception):
    """What is wrong with the source, in words for the user."""


def parse_args(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('src', metavar='SRC', type=Path, help='CamVid folder')
    parser.add_argument(
        'out', metavar='OUT', type=Path,
        help='folder for images/SPLIT, labels/SPLIT and SPLIT.txt')
    for split in SPLITS:
        parser.add_argument(
            f'--{split}-list', type=Path, metavar='FILE',
            help=f'list of the {split} images: names, or image and label '
            'paths, one per line (a list for each split, or none)')
    parser.add_argument(
        '--splits', nargs='+', choices=tuple(SPLITS), default=list(SPLITS),
        help='which to convert, where SRC does not hold all (default: all)')
    parser.add_argument(
        '--image-dir', default='701_StillsRaw_full', metavar='DIR',
        help='with lists of names: folder of the images under SRC '
        '(default: %(default)s)')
    parser.add_argument(
        '--label-dir', default='LabeledApproved_full', metavar='DIR',
        help='with lists of names: folder of the labels under SRC '
        '(default: %(default)s)')
    parser.add_argument(
        '--merge', action='store_true',
        help='of the 32 classes, count the related ones in (bus to car, lane '
        'marking to road, ...) as the SegNet labels do; without it all but '
        'the 11 become void')
    parser.add_argument(
        '--unknown-as-void', action='store_true',
        help='report colours outside the table but go on')
    parser.add_argument(
        '--force', action='store_true',
        help='replace what is in OUT')
    return parser.parse_args(argv)


def colour_lut(merge: bool) -> np.ndarray:
    """Index of every 24 bit colour."""
    lut = np.full(1 << 24, _UNKNOWN, np.uint8)
    for name, (red, green, blue) in COLOURS.items():
        if merge:
            name = MERGED.get(name, name)
        index = CLASSES.index(name) if name in CLASSES else VOID
        lut[red << 16 | green << 8 | blue] = index
    return lut


def find_image(folder: Path, stem: str) -> Optional[Path]:
    for suffix in _SUFFIXES:
        if (folder / f'{stem}{suffix}').is_file():
            return folder / f'{stem}{suffix}'
    return None


def find_label(folder: Path, stem: str) -> Path:
    """Label of an image, ``{stem}_L.png`` or ``{stem}.png``."""
    for name in (f'{stem}_L.png', f'{stem}.png'):
        if (folder / name).is_file():
            return folder / name
    raise ConversionError(f'no label for {stem}: neither {stem}_L.png nor '
                          f'{stem}.png in {folder}')


def pairs_from_folders(src: Path,
                       splits: Sequence[str]) -> Dict[str, List[Pair]]:
    """Splits as the folders of the source give them."""
    result = {}
    for split in splits:
        images = src / split
        labels = [
            src / f'{split}{ending}' for ending in ('_labels', 'annot')
            if (src / f'{split}{ending}').is_dir()
        ]
        if not images.is_dir() or len(labels) != 1:
            raise ConversionError(
                f'{src} does not say which images belong to {split}: it '
                f'needs the folder {split}/ and one of {split}_labels/ and '
                f'{split}annot/. Or pass --train-list, --val-list and '
                '--test-list, or convert the splits that are there, such as '
                '--splits train val. The split is not guessed.')
        files = sorted(
            file for file in images.iterdir()
            if file.suffix.lower() in _SUFFIXES)
        if not files:
            raise ConversionError(f'no images in {images}')
        result[split] = [
            Pair(file.stem, file, find_label(labels[0], file.stem))
            for file in files
        ]
    return result


def resolve(src: Path, path: str) -> Path:
    """File of a list that was written for another place.

    SegNet's lists hold ``/SegNet/CamVid/train/0001TP_006690.png``: the
    longest ending of the path that exists under ``src`` is the file.
    """
    parts = Path(path).parts
    for first in range(len(parts)):
        candidate = src.joinpath(*parts[first:])
        if candidate.is_file():
            return candidate
    raise ConversionError(f'{path} is in a list but not under {src}')


def pairs_from_lists(args: argparse.Namespace) -> Dict[str, List[Pair]]:
    """Splits as the lists give them."""
    result = {}
    for split in args.splits:
        list_file = getattr(args, f'{split}_list')
        result[split] = []
        for line in list_file.read_text(encoding='utf-8').splitlines():
            fields = line.split()
            if len(fields) == 2:
                image, label = (resolve(args.src, field) for field in fields)
            elif len(fields) == 1:
                stem = Path(fields[0]).stem
                stem = stem[:-2] if stem.endswith('_L') else stem
                image = find_image(args.src / args.image_dir, stem)
                if image is None:
                    raise ConversionError(
                        f'{fields[0]} of {list_file} is not in '
                        f'{args.src / args.image_dir} (--image-dir)')
                label = find_label(args.src / args.label_dir, stem)
            elif fields:
                raise ConversionError(
                    f'{list_file}: a line holds a name or an image and a '
                    f'label path, not {line!r}')
            else:
                continue
            result[split].append(Pair(image.stem, image, label))
        if not result[split]:
            raise ConversionError(f'{list_file} lists no image')
    return result


def collect(args: argparse.Namespace) -> Dict[str, List[Pair]]:
    """All pairs by split, each image in one split only."""
    missing = [
        f'--{split}-list' for split in args.splits
        if getattr(args, f'{split}_list') is None
    ]
    if 0 < len(missing) < len(args.splits):
        raise ConversionError(
            f'{" and ".join(missing)} missing: give a list for each of '
            f'{", ".join(args.splits)}, or none where SRC has a folder per '
            'split')
    pairs = (pairs_from_folders(args.src, args.splits) if missing else
             pairs_from_lists(args))
    seen = Counter(pair.name for split in pairs.values() for pair in split)
    twice = sorted(name for name, count in seen.items() if count > 1)
    if twice:
        raise ConversionError(
            f'{len(twice)} images are listed more than once, for instance '
            f'{twice[0]}')
    return pairs


def read_label(path: Path,
               lut: np.ndarray) -> Tuple[np.ndarray, Dict[str, int]]:
    """Index label of a file, and its unknown values with their counts."""
    with Image.open(path) as file:
        mode = file.mode
        # a palette image may hold indexes or colours: its colours decide
        colours = None if mode == 'L' else np.asarray(file.convert('RGB'))
        values = np.asarray(file) if mode in ('L', 'P') else None
    if colours is not None:
        packed = colours.astype(np.uint32)
        packed = packed[..., 0] << 16 | packed[..., 1] << 8 | packed[..., 2]
        label = lut[packed]
        unknown = packed[label == _UNKNOWN]
        if not unknown.size or values is None or values.max() > len(CLASSES):
            label[label == _UNKNOWN] = VOID
            return label, {
                f'colour ({c >> 16}, {c >> 8 & 255}, {c & 255})': n
                for c, n in Counter(unknown.tolist()).most_common()
            }
    label = values.copy()
    label[values >= len(CLASSES)] = VOID
    unknown = values[(values > len(CLASSES)) & (values != VOID)]
    return label, {
        f'index {value}': count
        for value, count in Counter(unknown.tolist()).most_common()
    }


def convert(pairs: Dict[str, List[Pair]], out: Path,
            merge: bool) -> List[str]:
    """Write all pairs below ``out`` and return what is wrong with them."""
    lut = colour_lut(merge)
    problems = []
    progress = ProgressBar(sum(map(len, pairs.values())), file=sys.stderr)
    for split, members in pairs.items():
        for kind in ('images', 'labels'):
            (out / kind / split).mkdir(parents=True)
        for pair in members:
            try:
                with Image.open(pair.image) as image:
                    size = image.size
                    target = out / 'images' / split / f'{pair.name}.png'
                    if pair.image.suffix == '.png':
                        shutil.copyfile(pair.image, target)
                    else:
                        image.convert('RGB').save(target)
                label, unknown = read_label(pair.label, lut)
            except OSError as error:
                problems.append(f'cannot read {pair.image} or its label '
                                f'{pair.label}: {error}')
                progress.update()
                continue
            if label.shape != size[::-1]:
                problems.append(
                    f'{pair.label} is {label.shape[1]}x{label.shape[0]}, its '
                    f'image {size[0]}x{size[1]}')
            problems += [
                f'{pair.label}: {value} is not in the table, {count} pixels'
                for value, count in unknown.items()
            ]
            Image.fromarray(label).save(
                out / 'labels' / split / f'{pair.name}.png')
            progress.update()
    print(file=sys.stderr)
    lists = {
        split: ''.join(f'{split}/{pair.name}\n' for pair in members)
        for split, members in pairs.items()
    }
    if {'train', 'val'} <= lists.keys():
        lists['trainval'] = lists['train'] + lists['val']
    for split, names in lists.items():
        (out / f'{split}.txt').write_text(names, encoding='utf-8')
    return problems


def main(argv: Optional[List[str]] = None) -> None:
    args = parse_args(argv)
    out = args.out
    try:
        if not args.src.is_dir():
            raise ConversionError(f'{args.src} is not a folder')
        if out.is_file():
            raise ConversionError(f'{out} is a file')
        if out.is_dir() and any(out.iterdir()) and not args.force:
            raise ConversionError(
                f'{out} is not empty; --force replaces {", ".join(RESULTS)}')
        pairs = collect(args)
        out.mkdir(parents=True, exist_ok=True)
        # written beside the result and moved at the end: OUT is either as it
        # was or complete
        work = Path(tempfile.mkdtemp(prefix='.camvid-', dir=out))
        try:
            problems = convert(pairs, work, args.merge)
            for problem in problems:
                print(problem, file=sys.stderr)
            tolerated = args.unknown_as_void and all(
                'is not in the table' in problem for problem in problems)
            if problems and not tolerated:
                raise ConversionError(
                    f'{len(problems)} problems, nothing written'
                    '; --unknown-as-void accepts unknown values as void')
            for kind in RESULTS:
                shutil.rmtree(out / kind, ignore_errors=True)
                if (work / kind).exists():
                    os.replace(work / kind, out / kind)
        finally:
            shutil.rmtree(work, ignore_errors=True)
            if not any(out.iterdir()):
                out.rmdir()
    except (ConversionError, OSError) as error:
        sys.exit(f'error: {error}')
    for split, members in pairs.items():
        usual = SPLITS[split]
        note = '' if len(members) == usual else f' (usual split: {usual})'
        print(f'{split}: {len(members)} images{note}')


if __name__ == '__main__':
    main()
