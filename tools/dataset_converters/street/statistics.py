"""What colour alone tells about a data set in the Cityscapes layout."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

CLASSES = ('road', 'sidewalk', 'building', 'wall', 'fence', 'pole',
           'traffic light', 'traffic sign', 'vegetation', 'terrain', 'sky',
           'person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle',
           'bicycle')
SPLITS = ('train', 'val')
IMAGE_SUFFIX = '_leftImg8bit.png'
LABEL_SUFFIX = '_gtFine_labelTrainIds.png'


def annotated_pairs(root: Path, split: str) -> list[tuple[Path, Path]]:
    """Image and label of each annotated frame of a split, sorted."""
    images = sorted((root / 'leftImg8bit' / split).glob(f'*/*{IMAGE_SUFFIX}'))
    if not images:
        raise FileNotFoundError(f'{root} has no leftImg8bit/{split} images')
    labels = root / 'gtFine' / split
    return [(image, labels / image.parent.name / image.name.replace(
        IMAGE_SUFFIX, LABEL_SUFFIX)) for image in images]


def read_pair(pair: tuple[Path, Path]) -> tuple[np.ndarray, np.ndarray]:
    """Read an image (BGR) and its label."""
    image = cv2.imread(str(pair[0]), cv2.IMREAD_COLOR)
    label = cv2.imread(str(pair[1]), cv2.IMREAD_GRAYSCALE)
    for picture, path in zip((image, label), pair):
        if picture is None:
            raise FileNotFoundError(f'{path} is missing or no picture')
    return image, label


def _sample(pairs: list[tuple[Path, Path]],
            count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Some pixels (RGB and bias), their labels; pixels of each class."""
    rng = np.random.default_rng(0)
    colours, labels, pixels = [], [], np.zeros(256, np.int64)
    each = max(1, count // len(pairs))
    for pair in pairs:
        image, label = read_pair(pair)
        pixels += np.bincount(label.ravel(), minlength=256)
        # No more than every fourth, lest a small set be drawn many times.
        chosen = rng.integers(0, label.size, min(each, label.size // 4))
        colours.append(image.reshape(-1, 3)[chosen, ::-1])
        labels.append(label.ravel()[chosen])
    colour = np.concatenate(colours).astype(np.float32) / 127.5 - 1
    label = np.concatenate(labels).astype(np.int64)
    known = label < len(CLASSES)
    colour = np.hstack([colour, np.ones((len(colour), 1), np.float32)])
    return colour[known], label[known], pixels[:len(CLASSES)]


def _fit(colour: np.ndarray, label: np.ndarray,
         balance: float) -> np.ndarray:
    """Multinomial logistic regression by accelerated gradient descent.

    Args:
        colour (np.ndarray): Features, (N, 4).
        label (np.ndarray): Classes, (N, ).
        balance (float): Classes weigh as their frequency to the power of
            minus this.

    Returns:
        np.ndarray: Weights, (4, classes).
    """
    count, classes = len(label), len(CLASSES)
    share = np.maximum(np.bincount(label, minlength=classes) / count, 1e-6)
    importance = share[label]**-balance
    importance = (importance / importance.mean()).astype(np.float32)
    # Uncorrelated features of unit size, so that the descent is short.
    whiten = np.linalg.inv(np.linalg.cholesky(
        colour.T @ colour / count + 1e-6 * np.eye(4))).astype(np.float32)
    parts = []
    # Small parts stay in the cache and below the size from which the
    # libraries start threads, of which the machine may have none to spare.
    for start in range(0, count, 2048):
        part = slice(start, start + 2048)
        # Classes come first: sums over them then run along whole rows.
        target = np.zeros((classes, len(label[part])), np.float32)
        target[label[part], np.arange(len(label[part]))] = 1
        parts.append((whiten @ colour[part].T, target, importance[part]))
    weight = np.zeros((classes, 4), np.float32)
    speed = np.zeros_like(weight)
    for _ in range(150):
        ahead = weight + 0.9 * speed
        slope = np.zeros_like(weight)
        for feature, target, part in parts:
            chance = ahead @ feature
            chance -= chance.max(0)
            np.exp(chance, out=chance)
            chance /= chance.sum(0)
            chance -= target
            chance *= part
            slope += chance @ feature.T
        speed = 0.9 * speed - slope / count
        weight += speed
    return (weight @ whiten).T


def _score(found: np.ndarray, label: np.ndarray) -> dict:
    """Accuracy and IoU from one confusion matrix over all pixels."""
    count = len(CLASSES)
    confusion = np.bincount(label * count + found, minlength=count**2)
    confusion = confusion.reshape(count, count)
    hit = confusion.diagonal().astype(np.float64)
    union = confusion.sum(0) + confusion.sum(1) - hit
    iou = {name: float(h / u) for name, h, u in zip(CLASSES, hit, union) if u}
    return {
        'miou': float(np.mean(list(iou.values()))),
        'accuracy': float(hit.sum() / confusion.sum()),
        'iou': iou
    }


def measure(root: str | Path) -> dict:
    """How far pixel colour alone leads, and how frequent the classes are.

    A linear classifier (multinomial logistic regression) is trained on the
    colours of pixels of the train split and tested on the val split. Two
    are trained, one with the classes weighed as they occur and one with the
    rare ones weighed up; the figures are those of the one with the higher
    mIoU. A class that neither occurs in the sample nor is predicted does
    not count in a mean.

    Args:
        root (str | Path): A folder in the Cityscapes layout.

    Returns:
        dict: ``colour_classifier`` and ``most_frequent_class`` with ``miou``
        and ``accuracy`` (0..1) and the ``iou`` of each class;
        ``class_frequency``, the share of each class in the pixels with a
        class, for the train split.
    """
    root = Path(root)
    pairs = {split: annotated_pairs(root, split) for split in SPLITS}
    # More pictures would take longer and say the same.
    pairs = {split: some[::-(-len(some) // 200)]
             for split, some in pairs.items()}
    colour, label, pixels = _sample(pairs['train'], 20000)
    seen, truth, _ = _sample(pairs['val'], 200000)
    scores = [_score((seen @ _fit(colour, label, balance)).argmax(1), truth)
              for balance in (0.0, 0.5)]
    frequent = np.full_like(truth, pixels.argmax())
    return {
        'colour_classifier': max(scores, key=lambda score: score['miou']),
        'most_frequent_class': _score(frequent, truth),
        'class_frequency': dict(
            zip(CLASSES, (pixels / pixels.sum()).round(6).tolist()))
    }


def report(statistics: dict) -> str:
    """The measured figures as text."""
    lines = []
    for key, name in (('colour_classifier', 'linear classifier on colour'),
                      ('most_frequent_class', 'always the commonest class')):
        score = statistics[key]
        lines.append(f'{name}: mIoU {100 * score["miou"]:.2f} %, pixel '
                     f'accuracy {100 * score["accuracy"]:.2f} %')
    shares = statistics['class_frequency'].items()
    lines.append('pixels: ' + ', '.join(
        f'{name} {100 * share:.2f} %' for name, share in shares))
    return '\n'.join(lines)
