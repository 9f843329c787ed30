"""Frames one after the other: of arrays, of image files.

Needs neither torch nor the host.
"""
import glob
import os.path as osp
import re
from collections import Counter
from pathlib import Path
from typing import (
    Any,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import cv2
import numpy as np

from ..utils.natural_order import natural_order

IMAGES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff')


class Frame(NamedTuple):
    """One frame of a source.

    Attributes:
        image (np.ndarray | None): (H, W, 3), uint8, BGR; None for a frame
            that could not be had.
        problem (str | None): Why it could not.
        time (float | None): Seconds since the beginning of a video, or
            until it came since a live source was asked for frames.
        source (str): The file of an image, else the name of the source.
    """
    image: Optional[np.ndarray]
    problem: Optional[str]
    time: Optional[float]
    source: str


class SourceError(RuntimeError):
    """A source that cannot be opened, or that gives nothing."""


class FrameSource:
    """Iterates over the frames of a source, once.

    A frame that cannot be read is an item too, so that numbers stay right.

    Attributes:
        name (str): As it was given.
        stem (str): Name for output files.
        live (bool): Whether frames come when they come, as from a camera.
        still (bool): Whether these are separate images, not a video.
        fps (float): Frames per second, 25 where nothing says so.
        uneven (bool): Whether ``fps`` is no rate to show all frames at, but
            their times say when.
        length (int | None): How many frames there should be.
        decoder (str): What decodes them.
        ended (str | None): Why there are no more.
    """

    live = still = uneven = False
    fps = 25.
    length: Optional[int] = None
    decoder = 'none'
    ended: Optional[str] = None

    def __init__(self, name: str, stem: str):
        self.name = name
        self.stem = re.sub(r'[^\w.-]+', '_', stem) or 'stream'

    def __iter__(self) -> Iterator[Frame]:
        raise NotImplementedError

    def _frames(self) -> Iterator[Frame]:
        """Frames up to the next interruption, of what may have some."""
        raise NotImplementedError

    def target(self, source: str, index: int) -> Optional[str]:
        """Name for what is written of a frame; None for a single image."""
        return f'{index:06d}'

    def stop(self) -> None:
        """Wait for nothing any more; may come from another thread."""

    def close(self) -> None:
        """Let go of the camera or file."""


class ArraySource(FrameSource):
    """Arrays in memory, or anything that gives one after the other.

    Args:
        arrays (Iterable): Of arrays (H, W, 3), uint8, BGR, or None for a
            frame that was lost.
        still (bool): Whether these are separate images. Defaults to False.
        length (int, optional): How many, where it is known.
    """

    decoder = 'arrays'

    def __init__(self, arrays: Iterable[Any], still: bool = False,
                 length: Optional[int] = None):
        super().__init__('array', 'array')
        self.arrays, self.still, self.length = arrays, still, length

    def target(self, source: str, index: int) -> Optional[str]:
        """Its number, None for a single image."""
        only = self.still and self.length == 1
        return None if only else f'{index:06d}'

    def __iter__(self) -> Iterator[Frame]:
        for image in self.arrays:
            problem = 'dropped: no frame came' if image is None else None
            yield Frame(image, problem, None, self.name)
        self.ended = 'no more arrays'


class ImageSource(FrameSource):
    """Image files, in the order given.

    Args:
        name (str): Of the folder, of the pattern or of the only file.
        files (Sequence[Path]): What is read.
    """

    still = True
    decoder = 'OpenCV images'

    def __init__(self, name: str, files: Sequence[Union[str, Path]]):
        plain = not glob.has_magic(name)
        stem = osp.basename(name.rstrip('/\\')) if plain else 'images'
        if osp.isfile(name):
            stem = Path(name).stem
        super().__init__(name, stem)
        self.files = files
        self.length = len(files)
        self._root = osp.commonpath([osp.dirname(osp.abspath(x))
                                     for x in files])
        self._stems = Counter(osp.splitext(osp.abspath(x))[0] for x in files)

    def target(self, source: str, index: int) -> Optional[str]:
        """Where it lies below the folder of all, without its suffix."""
        if self.length == 1:
            return None
        path = osp.abspath(source)
        stem = osp.splitext(path)[0]
        # a.jpg beside a.png
        name = path if self._stems[stem] > 1 else stem
        return osp.relpath(name, self._root)

    def __iter__(self) -> Iterator[Frame]:
        for path in self.files:
            image, problem = read_image(str(path))
            yield Frame(image, problem, None, str(path))
        self.ended = 'last file'


def read_image(path: str) -> Tuple[Optional[np.ndarray], Optional[str]]:
    """(H, W, 3), uint8, BGR, or None and the problem."""
    try:
        image = cv2.imread(path, cv2.IMREAD_COLOR)
    except cv2.error as error:  # more pixels than OpenCV reads
        return None, f'no readable image ({error.err})'
    return image, None if image is not None else 'no readable image'


def image_files(paths: Iterable[Union[str, Path]]) -> List[Path]:
    """Images among paths, in natural order; pipes and folders are not."""
    return sorted((Path(p) for p in paths
                   if Path(p).suffix.lower() in IMAGES and Path(p).is_file()),
                  key=natural_order)
