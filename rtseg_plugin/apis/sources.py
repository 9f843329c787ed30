"""What a user names, opened: an array, images, a video, a camera, a stream.

Needs neither torch nor the host.
"""
import glob
import os.path as osp
from pathlib import Path
from typing import Any, Iterable, List, Optional, Sequence, Set, Union

import numpy as np

from .frames import (
    IMAGES,
    ArraySource,
    FrameSource,
    ImageSource,
    image_files,
    read_image,
)
from .video_sources import Camera, NetworkStream, VideoFile

Source = Union[str, int, Path, np.ndarray, Iterable[Any]]


def _is_image(item: Any) -> bool:
    """Whether an item of a list is one image and not a stream."""
    if item is None or isinstance(item, np.ndarray):
        return item is None or item.ndim == 3
    return (isinstance(item, (str, Path))
            and Path(item).suffix.lower() in IMAGES
            and not glob.has_magic(str(item)))


def open_source(source: Source,
                hwaccel: Optional[str] = None,
                timeout: float = 10.,
                reconnect: int = 5) -> FrameSource:
    """Open one source.

    Args:
        source (str | int | Path | np.ndarray | Iterable): An image (H, W, 3)
            or a clip (T, H, W, 3), an image file, a folder of images or a
            pattern such as ``'shots/*.png'`` (in natural order of the names),
            a video file, the number of a camera, a live address
            (rtsp://...), or anything that gives images one after the other.
        hwaccel (str, optional): See :class:`VideoFile`.
        timeout (float): Seconds of silence after which an address is lost.
            Defaults to 10.
        reconnect (int): See :class:`NetworkStream`. Defaults to 5.

    Returns:
        FrameSource: To iterate over.

    Raises:
        FileNotFoundError: If there is no such file or folder, or no image in
            the folder or of the pattern.
        SourceError: If it cannot be opened.
        TypeError: If it is of another type.
        ValueError: If a list is empty.
    """
    if isinstance(source, np.ndarray):
        if source.ndim == 4:
            return ArraySource(source, length=len(source))
        return ArraySource([source], still=True, length=1)
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool):
        return Camera(int(source), reconnect)
    if isinstance(source, (str, Path)):
        return _open_name(str(source), hwaccel, timeout, reconnect)
    if isinstance(source, (list, tuple)):
        if not source:
            raise ValueError('a list of images is empty')
        if all(isinstance(item, (str, Path)) for item in source):
            missing = [str(x) for x in source if not osp.isfile(x)]
            if missing:
                raise FileNotFoundError(f'{missing[0]} is no file')
            return ImageSource('images', source)
        images = (read_image(str(x))[0] if isinstance(x, (str, Path)) else x
                  for x in source)
        return ArraySource(images, still=True, length=len(source))
    if hasattr(source, '__iter__'):
        return ArraySource(source)
    raise TypeError(f'a source is an array, a path, a pattern, the number of '
                    f'a camera, an address, or several of these in a list, '
                    f'not {type(source).__name__}')


def _open_name(name: str, hwaccel: Optional[str], timeout: float,
               reconnect: int) -> FrameSource:
    if osp.isdir(name):
        files = image_files(Path(name).iterdir())
        if not files:
            raise FileNotFoundError(
                f'{name} holds no images ({", ".join(IMAGES)})')
        return ImageSource(name, files)
    if name.isdigit() and not osp.exists(name):
        return Camera(int(name), reconnect)
    scheme = name.partition('://')[0].lower() if '://' in name else ''
    if scheme in ('http', 'https', 'file'):
        return VideoFile(name, hwaccel, timeout)
    if scheme:
        return NetworkStream(name, timeout, reconnect)
    if not osp.exists(name) and glob.has_magic(name):
        files = image_files(glob.iglob(name, recursive=True))
        if not files:
            raise FileNotFoundError(
                f'{name} matches no images ({", ".join(IMAGES)})')
        return ImageSource(name, files)
    if not osp.isfile(name):
        raise FileNotFoundError(f'{name} is no folder, no file, no camera '
                                'number and no address')
    if Path(name).suffix.lower() in IMAGES:
        return ImageSource(name, [name])
    return VideoFile(name, hwaccel)


def open_sources(source: Source, **options: Any) -> List[FrameSource]:
    """Open all streams of a source.

    A list of images is one stream; a list of folders, videos, cameras,
    addresses or clips is several, side by side.

    Args:
        source (Source): See :func:`open_source`, or a list of these.
        **options (Any): Of :func:`open_source`.

    Returns:
        list[FrameSource]: With different stems.

    Raises:
        As :func:`open_source`; what had been opened is closed.
    """
    each: Sequence[Any] = [source]
    if isinstance(source, (list, tuple)) and not all(map(_is_image, source)):
        each = source
    opened: List[FrameSource] = []
    try:
        for item in each:
            opened.append(open_source(item, **options))
    except Exception:
        for one in opened:
            one.close()
        raise
    taken = {one.stem for one in opened}
    seen: Set[str] = set()
    for one in opened:
        stem, number = one.stem, 2
        while one.stem in seen or (number > 2 and one.stem in taken):
            one.stem, number = f'{stem}_{number}', number + 1
        seen.add(one.stem)
    return opened
