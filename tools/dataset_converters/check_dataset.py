"""Check images and masks before training on them, and make them ready for it.

Pairs are found by name, in folders of any depth; folders train, val and test
directly below IMAGES are splits. What is wrong with them is listed, with what
to do; the pixels of each class are counted and a contact sheet is drawn.

With --out the masks are written as indexes into DIR, beside their images and
split reproducibly where there were no splits, with a config that trains as it
is:

    check_dataset images masks
    check_dataset images masks --classes road=128,64,128 car=0,0,142 --out DIR
    mim train rtseg_plugin DIR/config.py
"""
import argparse
import hashlib
import os
import re
import shutil
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np
from _ready_config import DEFAULT_RECIPE, RecipeError, write_config
from matplotlib import colormaps
from PIL import Image, ImageDraw, ImageOps
from rich.console import Console
from rich.progress import track
from rich.table import Table

from rtseg_plugin.apis.frames import IMAGES
from rtseg_plugin.utils.whole_folder import whole_folder

IGNORE = 255
SPLITS = dict(
    train='train', training='train', val='val', valid='val',
    validation='val', test='test', testing='test')
_ENDINGS = re.compile(
    r'(_leftImg8bit|_gtFine|_labelTrainIds|_labelIds|[_-](image|img|rgb|mask|'
    r'masks|label|labels|gt|seg|L))$', re.IGNORECASE)
_SHOWN = 5
"""File names shown for one finding."""

Value = Union[int, Tuple[int, int, int]]


class Pair(NamedTuple):
    """An image and its mask; ``split`` is None where folders name none."""

    name: str
    split: Optional[str]
    image: Path
    mask: Path


class Scan(NamedTuple):
    """What one pair holds; ``problem`` is a sentence or None."""

    pair: Pair
    values: Dict[Value, int]
    digest: str
    size: Tuple[int, int]
    problem: Optional[str] = None


class Classes(NamedTuple):
    """Names by index, and the index (or 255) of each value of a mask."""

    names: Tuple[str, ...]
    values: Dict[Value, int]
    palette: List[Tuple[int, int, int]]


class CheckError(Exception):
    """What stops the check, in words for the user."""


class Report:
    """Findings, printed as they come."""

    def __init__(self, console: Console):
        self.console = console
        self.errors = self.warnings = 0

    def error(self, text: str, names: List[str] = ()) -> None:
        self.errors += 1
        self._print('error', 'bold red', text, names)

    def warn(self, text: str, names: List[str] = ()) -> None:
        self.warnings += 1
        self._print('warning', 'yellow', text, names)

    def _print(self, level, style, text, names):
        shown = ''.join(f'\n    {name}' for name in names[:_SHOWN])
        if len(names) > _SHOWN:
            shown += f'\n    ... and {len(names) - _SHOWN} more'
        self.console.print(f'[{style}]{level}:[/] ', end='')
        self.console.print(text + shown, markup=False, highlight=False,
                           soft_wrap=True)


def parse_args(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        fromfile_prefix_chars='@',
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('images', metavar='IMAGES', type=Path)
    parser.add_argument('masks', metavar='MASKS', type=Path)
    parser.add_argument(
        '--classes', nargs='+', metavar='NAME[=VALUE|=R,G,B]',
        help='names in the order of their index, or each with a value or a '
        'colour of the masks; a name given twice collects both, and '
        '"ignore=..." is what no class is (MMSegmentation: 255). @FILE reads '
        'arguments from a file, one a line')
    parser.add_argument(
        '--image-suffix', default='', metavar='END',
        help='only files that end so are images, _leftImg8bit.png say')
    parser.add_argument(
        '--mask-suffix', default='', metavar='END',
        help='only files that end so are masks, _labelTrainIds.png say')
    parser.add_argument(
        '--out', type=Path, metavar='DIR',
        help='new folder for images/, labels/, config.py, contact_sheet.jpg')
    parser.add_argument(
        '--recipe', default=DEFAULT_RECIPE, metavar='NAME',
        help='config to start from (default: %(default)s)')
    parser.add_argument(
        '--iterations', type=int, default=4000, metavar='N',
        help='length of the training in the config (default: %(default)s)')
    parser.add_argument(
        '--val', type=float, default=0.2, metavar='SHARE',
        help='share of the images that validate, where no folder says so '
        '(default: %(default)s)')
    parser.add_argument(
        '--seed', type=int, default=0, help='of that split')
    parser.add_argument(
        '--sheet', type=Path, metavar='FILE',
        help='contact sheet (default: contact_sheet.jpg, in DIR with --out)')
    args = parser.parse_args(argv)
    if not 0 < args.val < 1:
        parser.error(f'--val is a share between 0 and 1, not {args.val}')
    if args.iterations < 1:
        parser.error(f'--iterations is positive, not {args.iterations}')
    return args


# --- pairs -----------------------------------------------------------------


def list_files(root: Path, suffix: str, without: str = '') -> List[Path]:
    """Image files below ``root`` whose names end with ``suffix``."""
    if not root.is_dir():
        raise CheckError(f'{root} is not a folder')
    return sorted(
        path for path in root.rglob('*')
        if path.suffix.lower() in IMAGES and path.is_file()
        and path.name.endswith(suffix)
        and not (without and path.name.endswith(without)))


def pair_name(path: Path, suffix: str) -> str:
    """Stem of a file without what only says that it is an image or mask."""
    stem = path.name[:-len(suffix)] if suffix else path.stem
    while _ENDINGS.search(stem):
        shorter = _ENDINGS.sub('', stem)
        if not shorter:
            break
        stem = shorter
    return stem


def find_pairs(args: argparse.Namespace, report: Report) -> List[Pair]:
    """Images and masks of one name; says which have no partner."""
    same = args.images.resolve() == args.masks.resolve()
    if same and not args.mask_suffix:
        raise CheckError('images and masks lie in one folder: --mask-suffix '
                         'says how the names of masks end')
    images = list_files(
        args.images, args.image_suffix, args.mask_suffix if same else '')
    masks = list_files(args.masks, args.mask_suffix)
    for root, files in ((args.images, images), (args.masks, masks)):
        if not files:
            raise CheckError(f'no images in {root} (looked for '
                             f'{", ".join(IMAGES)})')

    def keyed(files, root, suffix, flat):
        result = defaultdict(list)
        for path in files:
            folder = '' if flat else path.parent.relative_to(root).as_posix()
            result[folder, pair_name(path, suffix)].append(path)
        return result

    # masks may lie in other folders than images, if names are unique
    for flat in (False, True):
        by_image = keyed(images, args.images, args.image_suffix, flat)
        by_mask = keyed(masks, args.masks, args.mask_suffix, flat)
        if by_image.keys() & by_mask.keys():
            break
    else:
        raise CheckError(
            f'no image of {args.images} has a mask of its name in '
            f'{args.masks}: {images[0].name} and {masks[0].name}, for '
            'instance. --image-suffix and --mask-suffix say which endings do '
            'not count')
    for option, found in (('--image-suffix', by_image),
                          ('--mask-suffix', by_mask)):
        for (_, name), files in found.items():
            if len(files) > 1:
                raise CheckError(
                    f'{len(files)} files are called {name}: '
                    f'{", ".join(str(f) for f in files[:_SHOWN])}; {option} '
                    'says which are meant')
    lonely = [str(v[0]) for k, v in by_image.items() if k not in by_mask]
    if lonely:
        report.error(f'{len(lonely)} images have no mask', lonely)
    lonely = [str(v[0]) for k, v in by_mask.items() if k not in by_image]
    if lonely:
        report.error(f'{len(lonely)} masks have no image', lonely)
    pairs = []
    for key in sorted(by_image.keys() & by_mask.keys()):
        image = by_image[key][0]
        relative = image.relative_to(args.images)
        top = SPLITS.get(relative.parts[0].lower())
        split = top if len(relative.parts) > 1 else None
        folders = relative.parent.parts[1 if split else 0:]
        name = '_'.join([*folders, pair_name(image, args.image_suffix)])
        pairs.append(Pair(name, split, image, by_mask[key][0]))
    return pairs


# --- what is in them -------------------------------------------------------


def read_mask(path: Path) -> np.ndarray:
    """A mask as it is stored: (H, W) of indexes or (H, W, 3) of colours.

    A colour mask whose three channels agree is one of indexes.
    """
    with Image.open(path) as file:
        if file.mode in ('RGBA', 'LA', 'CMYK', 'YCbCr'):
            file = file.convert('L' if file.mode == 'LA' else 'RGB')
        mask = np.asarray(file)
    if mask.dtype == bool:
        mask = mask.astype(np.uint8)
    if mask.ndim == 3 and (mask == mask[..., :1]).all():
        mask = mask[..., 0]
    return mask


def pack(mask: np.ndarray) -> np.ndarray:
    """Colours (H, W, 3) as numbers of 24 bits; indexes as they are."""
    if mask.ndim == 2:
        return mask.astype(np.int64)
    mask = mask.astype(np.int64)
    return mask[..., 0] << 16 | mask[..., 1] << 8 | mask[..., 2]


def unpack(number: int) -> Tuple[int, int, int]:
    return number >> 16, number >> 8 & 255, number & 255


def scan(pair: Pair) -> Scan:
    """Read both files of a pair."""
    try:
        digest = hashlib.sha256(pair.image.read_bytes()).hexdigest()
        with Image.open(pair.image) as file:
            stored = file.size
            image = ImageOps.exif_transpose(file)
            image.load()
    except (OSError, SyntaxError, ValueError) as error:
        return Scan(pair, {}, '', (0, 0),
                    f'{pair.image} cannot be read: {error}')
    try:
        mask = read_mask(pair.mask)
    except (OSError, SyntaxError, ValueError) as error:
        return Scan(pair, {}, digest, image.size,
                    f'{pair.mask} cannot be read: {error}')
    values, counts = np.unique(pack(mask), return_counts=True)
    keys = values.tolist()
    if mask.ndim == 3:
        keys = [unpack(value) for value in keys]
    result = Scan(pair, dict(zip(keys, counts.tolist())), digest, image.size)
    if mask.shape[1::-1] == image.size:
        return result
    problem = (f'{pair.mask} is {mask.shape[1]}x{mask.shape[0]}, its image '
               f'{image.size[0]}x{image.size[1]}')
    if mask.shape[1::-1] == stored:
        problem += (' once it is turned as its EXIF entry says, which the '
                    'training does and the mask does not; save the image '
                    'without that entry')
    return result._replace(problem=problem)


def parse_classes(arguments: List[str]) -> Classes:
    """What --classes says; values are colours or indexes, not both."""
    names, values, plain = [], {}, []
    for argument in arguments:
        name, equals, value = argument.partition('=')
        if name != 'ignore' and name not in names:
            names.append(name)
        if not equals:
            plain.append(name)
            continue
        try:
            numbers = tuple(int(x) for x in value.split(','))
        except ValueError:
            numbers = ()
        if len(numbers) not in (1, 3) or min(numbers) < 0:
            raise CheckError(f'--classes {argument}: what follows = is an '
                             'index or a colour R,G,B')
        key = numbers[0] if len(numbers) == 1 else numbers
        if key in values:
            raise CheckError(f'--classes gives {value} to two classes')
        values[key] = IGNORE if name == 'ignore' else names.index(name)
    if not names or 'ignore' in plain:
        raise CheckError('--classes names no class' if not names else
                         '--classes: "ignore" needs a value, ignore=0 say')
    if plain:
        if len(plain) != len(names) or len(plain) != len(set(plain)):
            raise CheckError('--classes gives values to some names only, or '
                             'a name twice; give all names a value or none')
        values.update({
            i: i
            for i in range(len(names)) if i not in values
        })
    if len({type(key) for key in values}) > 1:
        raise CheckError('--classes mixes indexes and colours')
    if len(names) > IGNORE:
        raise CheckError(f'{len(names)} classes; labels have 8 bits, 255 is '
                         'no class: 255 classes at most')
    return Classes(tuple(names), values, make_palette(names, values))


def make_palette(names, values) -> List[Tuple[int, int, int]]:
    """The colours of colour masks, else colours far apart."""
    colours = {i: key for key, i in reversed(values.items())}
    if all(isinstance(colours.get(i), tuple) for i in range(len(names))):
        return [colours[i] for i in range(len(names))]
    few = len(names) <= 20
    table = colormaps['tab20' if few else 'hsv']
    return [
        tuple(int(round(255 * x)) for x in table(
            i if few else i / len(names))[:3]) for i in range(len(names))
    ]


def suggestion(found: List[Value]) -> str:
    """A --classes line for what the masks hold."""
    return 'for instance  --classes ' + ' '.join(
        f'class{i}={",".join(map(str, v)) if isinstance(v, tuple) else v}'
        for i, v in enumerate(found))


def find_classes(scans: List[Scan], arguments: Optional[List[str]],
                 report: Report) -> Optional[Classes]:
    """Classes as they are given, else as the values of the masks suggest."""
    pixels, files = Counter(), defaultdict(list)
    for item in scans:
        for value, count in item.values.items():
            pixels[value] += count
            files[value].append(str(item.pair.mask))
    kinds = {isinstance(value, tuple) for value in pixels}
    if len(kinds) > 1:
        # a black colour mask reads as indexes
        grey = {v for v in pixels if not isinstance(v, tuple)}
        if grey <= {0, 255}:
            for value in grey:
                colour = (value, ) * 3
                pixels[colour] += pixels.pop(value)
                files[colour] += files.pop(value)
                for item in scans:
                    if value in item.values:
                        item.values[colour] = (
                            item.values.get(colour, 0)
                            + item.values.pop(value))
        else:
            value = max(grey)
            report.error('some masks hold colours and others indexes, which '
                         'one config cannot read; indexes are in',
                         files[value])
            return None
    colours = any(isinstance(value, tuple) for value in pixels)
    common = [value for value, _ in pixels.most_common()]
    classes = parse_classes(arguments) if arguments else None
    if classes is None and colours:
        report.error(
            'the masks hold colours, training needs one index per pixel: '
            'give each class its colour with --classes and convert with '
            '--out; ' + suggestion(sorted(common[:20])))
        show_values(report.console, pixels, files)
        if len(common) > 256:
            report.error(
                f'{len(common)} different colours: the masks were smoothed, '
                'resized with interpolation or saved as JPEG; the frequent '
                'ones may be classes, the others are mixtures. Export the '
                'masks again, as PNG and without smoothing')
        return None
    if classes is None:
        found = sorted(v for v in pixels if v != IGNORE)
        if found in ([0], []) and IGNORE in pixels:
            report.error(
                'the masks hold 0 and 255 only. 255 is no class to '
                'MMSegmentation, so that nothing but class 0 would be '
                'learnt (and IoU be nan): convert with  --classes '
                'background=0 object=255 --out DIR')
            return None
        if found != list(range(len(found))):
            report.error(
                f'the masks hold the values {found[:20]}, training needs 0 '
                'to n - 1: give each class its value with --classes and '
                'convert with --out; ' + suggestion(found[:20]))
            return None
        classes = parse_classes([f'class{i}' for i in found])
    if not colours and any(isinstance(key, tuple) for key in classes.values):
        raise CheckError('--classes gives colours, but the masks hold '
                         f'indexes: {sorted(common)[:20]}')
    if colours and not any(isinstance(k, tuple) for k in classes.values):
        raise CheckError(
            '--classes gives names or indexes, but the masks hold colours: '
            'name=R,G,B each; ' + suggestion(sorted(common[:20])))
    allowed = set(classes.values)
    if not colours:
        allowed.add(IGNORE)
    unknown = [value for value in common if value not in allowed]
    if unknown:
        report.error(
            f'{len(unknown)} values of the masks belong to no class; a '
            'training stops there, or counts them wrong. Name them in '
            '--classes, with "ignore=..." where they shall not count:')
        show_values(
            report.console, {v: pixels[v] for v in unknown}, files)
    return classes


def show_values(console: Console, pixels: Dict[Value, int],
                files: Dict[Value, List[str]]) -> None:
    table = Table('value', 'pixels', 'masks', 'for instance')
    for value, count in Counter(pixels).most_common(20):
        text = ','.join(map(str, value)) if isinstance(value, tuple) else value
        table.add_row(str(text), f'{count:,}', str(len(files[value])),
                      Path(files[value][0]).name)
    console.print(table)


# --- splits ----------------------------------------------------------------


def split_pairs(scans: List[Scan], share: float, seed: int,
                report: Report) -> Dict[str, List[Scan]]:
    """Splits of the folders, else a draw that depends on contents alone.

    Images of equal content stay together.
    """
    result = defaultdict(list)
    for item in scans:
        result[item.pair.split or 'train'].append(item)
    if 'val' not in result and result['train']:
        groups = defaultdict(list)
        for item in result['train']:
            groups[item.digest].append(item)
        order = sorted(groups, key=lambda digest: hashlib.sha256(
            f'{seed} {digest}'.encode()).hexdigest())
        number = max(1, round(share * len(order)))
        if number >= len(order):
            report.error(f'{len(order)} different images cannot be split '
                         'into some to train and some to validate')
            return dict(result)
        chosen = set(order[:number])
        result['val'] = [x for x in result['train'] if x.digest in chosen]
        result['train'] = [
            x for x in result['train'] if x.digest not in chosen]
    if not result['train']:
        report.error(f'the folders name the splits {", ".join(result)} but '
                     'no train')
    return dict(result)


def check_duplicates(scans: List[Scan], report: Report) -> None:
    by_digest = defaultdict(list)
    for item in scans:
        by_digest[item.digest].append(item.pair)
    across, within = [], []
    for pairs in by_digest.values():
        if len(pairs) > 1:
            line = ' = '.join(str(p.image) for p in pairs[:3])
            (across if len({p.split for p in pairs}) > 1
             else within).append(line)
    if across:
        report.error(
            f'{len(across)} images are in more than one split, so that '
            'validation sees what was trained on', across)
    if within:
        report.warn(f'{len(within)} images are there more than once', within)


def count_classes(splits: Dict[str, List[Scan]],
                  classes: Classes) -> Dict[str, np.ndarray]:
    """Pixels and images of each class by split, (2, classes)."""
    result = {}
    for split, items in splits.items():
        counts = np.zeros((2, len(classes.names)), np.int64)
        for item in items:
            here = np.zeros(len(classes.names), np.int64)
            for value, count in item.values.items():
                index = classes.values.get(value, IGNORE)
                if index != IGNORE:
                    here[index] += count
            counts += [here, here > 0]
        result[split] = counts
    return result


def check_balance(counts: Dict[str, np.ndarray], classes: Classes,
                  report: Report) -> Optional[List[float]]:
    """Say which classes are rare; weights of the loss where that is bad.

    Returns:
        list[float] or None: 1 / log(1.02 + share), as ENet weighs
            (https://arxiv.org/abs/1606.02147), scaled so that the mean over
            the pixels is 1; None where no class is 20 times another.
    """
    table = Table('index', 'class', *(
        f'{split} {what}' for split in counts for what in ('%', 'images')))
    for i, name in enumerate(classes.names):
        table.add_row(str(i), name, *(
            text for pixels, images in counts.values()
            for text in (f'{100 * pixels[i] / max(1, pixels.sum()):.2f}',
                         str(images[i]))))
    report.console.print(table)
    train = counts['train']
    total = sum(counts.values())
    for i, name in enumerate(classes.names):
        if not total[1, i]:
            report.error(
                f'no pixel is of class {name}: its IoU would be nan. Take it '
                'out of --classes, or add images that show it')
        elif not train[1, i]:
            report.error(f'no training image shows {name}, which the others '
                         'do: it cannot be learnt. Move images to train')
        elif train[1, i] < 3 or train[0, i] < 1e-4 * train[0].sum():
            report.warn(
                f'{name} hardly occurs: {train[1, i]} training images, '
                f'{100 * train[0, i] / train[0].sum():.3f} % of the pixels. '
                'Add images, or count it to another class '
                f'(--classes OTHER=... OTHER=<its value>)')
        if total[1, i] and 'val' in counts and not counts['val'][1, i]:
            report.warn(f'no validation image shows {name}: its IoU will be '
                        'nan there')
    share = train[0] / max(1, train[0].sum())
    if share.min() == 0 or share.max() < 20 * share.min():
        return None
    weights = 1 / np.log(1.02 + share)
    weights /= (weights * share).sum()
    return [round(float(w), 3) for w in weights]


# --- what is written -------------------------------------------------------


def to_indexes(mask: np.ndarray, classes: Classes) -> np.ndarray:
    """Labels (H, W) uint8 of a mask as it is stored."""
    numbers = pack(mask)
    colours = any(isinstance(key, tuple) for key in classes.values)
    if colours and mask.ndim == 2:  # a mask of greys only
        numbers = numbers * 0x010101
    present, where = np.unique(numbers, return_inverse=True)
    labels = [
        classes.values.get(unpack(v) if colours else v, IGNORE)
        for v in present.tolist()
    ]
    return np.array(labels, np.uint8)[where.reshape(numbers.shape)]


def draw_sheet(scans: List[Scan], classes: Optional[Classes],
               path: Path, number: int = 12, width: int = 320) -> None:
    """Images with their masks over them, and the colours' names."""
    step = max(1, len(scans) // number)
    chosen = scans[::step][:number]
    colours = np.zeros((256, 3), np.uint8)
    if classes:
        colours[:len(classes.names)] = classes.palette
    tiles = []
    for item in chosen:
        with Image.open(item.pair.image) as file:
            image = ImageOps.exif_transpose(file).convert('RGB')
        height = max(1, round(width * image.height / image.width))
        image = image.resize((width, height))
        mask = read_mask(item.pair.mask)
        if classes:
            mask = colours[to_indexes(mask, classes)]
        elif mask.ndim == 2:
            mask = np.stack([mask.astype(np.uint8)] * 3, -1)
        mask = Image.fromarray(mask).resize((width, height), Image.NEAREST)
        tile = Image.new('RGB', (2 * width, height + 14), 'white')
        tile.paste(image, (0, 14))
        tile.paste(Image.blend(image, mask, 0.6) if classes else mask,
                   (width, 14))
        ImageDraw.Draw(tile).text((2, 1), item.pair.name[:50], 'black')
        tiles.append(tile)
    rows = [tiles[i:i + 2] for i in range(0, len(tiles), 2)]
    heights = [max(t.height for t in row) for row in rows]
    names = classes.names if classes else ()
    legend = 16 * -(-len(names) // 8) + 4
    sheet = Image.new('RGB', (4 * width, sum(heights) + legend), 'white')
    draw = ImageDraw.Draw(sheet)
    for i, name in enumerate(names):
        x, y = i % 8 * width // 2, i // 8 * 16 + 2
        draw.rectangle((x + 2, y, x + 14, y + 12), classes.palette[i],
                       'black')
        draw.text((x + 18, y), name[:22], 'black')
    y = legend
    for row, height in zip(rows, heights):
        for i, tile in enumerate(row):
            sheet.paste(tile, (2 * width * i, y))
        y += height
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=88)


def write_dataset(out: Path, splits: Dict[str, List[Scan]],
                  classes: Classes) -> str:
    """Images (linked where the disk can) and labels; suffix of the images."""
    suffixes = {x.pair.image.suffix for items in splits.values()
                for x in items}
    # one suffix per data set is what MMSegmentation reads
    suffix = suffixes.pop() if len(suffixes) == 1 else '.png'
    for split, items in splits.items():
        for kind in ('images', 'labels'):
            (out / kind / split).mkdir(parents=True)
        for item in track(items, f'writing {split}',
                          console=Console(stderr=True), transient=True):
            target = out / 'images' / split / f'{item.pair.name}{suffix}'
            if item.pair.image.suffix != suffix:
                with Image.open(item.pair.image) as file:
                    ImageOps.exif_transpose(file).convert('RGB').save(target)
            else:
                try:
                    os.link(item.pair.image, target)
                except OSError:
                    shutil.copyfile(item.pair.image, target)
            labels = to_indexes(read_mask(item.pair.mask), classes)
            Image.fromarray(labels).save(
                out / 'labels' / split / f'{item.pair.name}.png')
    return suffix


def check(args: argparse.Namespace, report: Report) -> None:
    """All checks, and --out where nothing is wrong."""
    console = report.console
    if args.out and args.out.exists():
        raise CheckError(f'{args.out} exists; --out names a new folder')
    pairs = find_pairs(args, report)
    names = Counter((p.split, p.name) for p in pairs)
    twice = [name for (_, name), count in names.items() if count > 1]
    if twice:
        raise CheckError(f'{len(twice)} names would be given twice: '
                         f'{", ".join(twice[:_SHOWN])}')
    with ThreadPoolExecutor() as pool:
        scans = list(
            track(pool.map(scan, pairs), 'reading', len(pairs),
                  console=Console(stderr=True), transient=True))
    problems = [item.problem for item in scans if item.problem]
    if problems:
        report.error(f'{len(problems)} pairs cannot be used', problems)
    scans = [item for item in scans if not item.problem]
    if not scans:
        raise CheckError('no pair is left')
    check_duplicates(scans, report)
    classes = find_classes(scans, args.classes, report)
    splits = split_pairs(scans, args.val, args.seed, report)
    console.print(', '.join(f'{split}: {len(items)} images'
                            for split, items in splits.items()))
    weights = None
    if classes and splits.get('train'):
        weights = check_balance(
            count_classes(splits, classes), classes, report)
    if args.out is None or classes is None:
        sheet = args.sheet or Path('contact_sheet.jpg')
        draw_sheet(scans, classes, sheet)
        console.print(f'wrote {sheet}', highlight=False)
        return
    if report.errors:
        return
    with whole_folder(args.out) as work:
        suffix = write_dataset(work, splits, classes)
        draw_sheet(scans, classes, args.sheet or work / 'contact_sheet.jpg')
        sizes = np.median([item.size for item in scans], axis=0)
        notes = write_config(
            work / 'config.py', args.out.resolve(), args.recipe,
            classes.names, classes.palette, suffix,
            (int(sizes[0]), int(sizes[1])),
            'val' if 'val' in splits else 'train',
            'test' if 'test' in splits else 'val',
            weights, args.iterations)
    for note in notes:
        report.warn(note)
    console.print(
        f'wrote {args.out}; look at {args.out}/contact_sheet.jpg, then\n'
        f'  mim train rtseg_plugin {args.out}/config.py --work-dir '
        f'work_dirs/{args.out.name}', highlight=False, soft_wrap=True)


def main(argv: Optional[List[str]] = None) -> None:
    args = parse_args(argv)
    report = Report(Console(width=max(100, Console().width)))
    try:
        check(args, report)
    except (CheckError, RecipeError, OSError) as error:
        sys.exit(f'error: {error}')
    if report.errors:
        sys.exit(f'{report.errors} errors, {report.warnings} warnings'
                 + ('; nothing written to --out' if args.out else ''))
    print(f'no errors, {report.warnings} warnings')


if __name__ == '__main__':
    main()
