"""Small videos, written once per session."""
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from PIL import Image

import rtseg_plugin  # noqa: F401


@pytest.fixture(autouse=True)
def mmseg_scope():
    with DefaultScope.overwrite_default_scope('mmseg'):
        yield


def write(path: Path, array: np.ndarray) -> None:
    """Write an RGB or index image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def frame(number: int, height: int = 32, width: int = 64) -> np.ndarray:
    """A textured frame whose mean tells its number."""
    rng = np.random.default_rng(number)
    noise = rng.integers(0, 40, (height, width, 3))
    return (noise + 4 * number % 200).astype(np.uint8)


def label(number: int, height: int = 32, width: int = 64) -> np.ndarray:
    """Two halves, a void corner and a pixel that tells the number."""
    result = np.zeros((height, width), np.uint8)
    result[:, width // 2:] = 1
    result[:4, :4] = 255
    result[-1, -1] = number % 19
    return result


@pytest.fixture(scope='session')
def cityscapes_root(tmp_path_factory):
    """Two snippets of 30 frames; the second has running numbers."""
    root = tmp_path_factory.mktemp('cityscapes')
    for name, first in (('aachen/aachen_000000', 0), ('bochum/bochum_000000',
                                                      294)):
        for number in range(first, first + 30):
            write(
                root / 'leftImg8bit_sequence/val' /
                f'{name}_{number:06d}_leftImg8bit.png', frame(number))
        number = first + 19
        write(
            root / 'gtFine/val' /
            f'{name}_{number:06d}_gtFine_labelTrainIds.png', label(number))
        write(
            root / 'gtFine/val' /
            f'{name}_{number:06d}_gtFine_labelIds.png', label(number) + 9)
    return root
