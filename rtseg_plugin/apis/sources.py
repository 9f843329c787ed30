"""Where frames come from: arrays, images, folders, files, cameras, addresses.

Needs neither torch nor the host.
"""
import glob
import os.path as osp
import re
import threading
import time
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
    Set,
    Tuple,
    Union,
)

import cv2
import numpy as np

from ..utils.natural_order import natural_order

IMAGES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff')
Source = Union[str, int, Path, np.ndarray, Iterable[Any]]


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
        length (int | None): How many frames there should be.
        decoder (str): What decodes them.
        ended (str | None): Why there are no more.
    """

    live = still = False
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


def import_av() -> Any:
    """PyAV; SourceError without it."""
    try:
        import av
    except ImportError:
        raise SourceError(
            'videos are read and written through PyAV, which is not '
            "installed: pip install av (or 'rtseg_plugin[optional]')"
        ) from None
    return av


class VideoFile(FrameSource):
    """A video file, through PyAV: turned as its metadata says.

    Args:
        path (str): The file, or an address that has an end (http).
        timeout (float): Seconds without data after which an address is given
            up. Defaults to 10.
        hwaccel (str, optional): A device that decodes: 'cuda', 'vaapi',
            'qsv', 'videotoolbox', ...; where it cannot, the processor does,
            and ``decoder`` says so. Defaults to None: the processor.

    Raises:
        SourceError: If PyAV is missing, the file is no video, or there is no
            such device.
    """

    def __init__(self, path: str, hwaccel: Optional[str] = None,
                 timeout: float = 10.):
        shown = _shown(path)
        super().__init__(shown, Path(shown).stem)
        self.address = path
        self.av = import_av()
        self.container: Optional[Any] = None
        self._open(self._hwaccel(hwaccel),
                   timeout=timeout if '://' in path else None)

    def _hwaccel(self, name: Optional[str]) -> Any:
        if name is None:
            return None
        from av.codec import hwaccel
        known = hwaccel.hwdevices_available()
        if name not in known:
            raise SourceError(f'this PyAV decodes on no device {name!r}, but '
                              f'on: {", ".join(known) or "none"}')
        return hwaccel.HWAccel(name, allow_software_fallback=True)

    def _open(self, hwaccel: Any = None, **options: Any) -> None:
        av = self.av
        try:
            container = self.container = av.open(
                self.address, hwaccel=hwaccel, metadata_errors='replace',
                **options)
        except (av.FFmpegError, OSError, ValueError) as error:
            if hwaccel is not None:  # a device that is not there
                self._open(None, **options)
                return
            raise SourceError(f'{self.name} cannot be opened as a video: '
                              f'{_reason(error)}') from None
        if not container.streams.video:
            self.close()
            raise SourceError(f'{self.name} holds no video')
        self.stream = container.streams.video[0]
        context = self.stream.codec_context
        if context is None:
            self.close()
            raise SourceError(f'{self.name} is of a codec that this PyAV '
                              'does not know')
        # with frames decoded side by side each of them comes later
        self.stream.thread_type = 'SLICE' if self.live else 'AUTO'
        where = 'processor'
        if getattr(context, 'is_hwaccel', False):
            where = str(hwaccel.device_type.name)
        self.decoder = f'PyAV {context.name} ({where})'
        rate = self.stream.average_rate or self.stream.guessed_rate
        if rate and 0 < rate < 1000:
            self.fps = float(rate)
        self.length = self.stream.frames or None
        # a transport stream counts from elsewhere than 0
        self._begin = float((self.stream.start_time or 0)
                            * (self.stream.time_base or 0))

    def __iter__(self) -> Iterator[Frame]:
        count = 0
        for frame in self._frames():
            count += 1
            yield frame
        if self.ended is None:
            self.ended = 'end of file'
            if self.length and count < self.length:
                self.ended += (f' after {count} of the {self.length} frames '
                               'that it announces')

    def _frames(self) -> Iterator[Frame]:
        """All of the container; sets ``ended`` where it breaks off."""
        assert self.container is not None, f'{self.name} has been closed'
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except (self.av.FFmpegError, OSError) as error:
                self.ended = f'cannot be read on: {_reason(error)}'
                yield from map(self._picture, self._rest())
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except (self.av.FFmpegError, OSError) as error:
                if packet.size:
                    yield Frame(None, f'damaged: {_reason(error)}', None,
                                self.name)
                continue
            for frame in frames:
                yield self._picture(frame)

    def _rest(self) -> List[Any]:
        """What is still in the decoder."""
        try:
            return self.stream.codec_context.decode(None)
        except (self.av.FFmpegError, OSError):
            return []

    def _picture(self, frame: Any) -> Frame:
        at = None if frame.time is None else frame.time - self._begin
        if frame.is_corrupt:
            return Frame(None, 'damaged: parts are missing', at, self.name)
        try:
            image = frame.to_ndarray(format='bgr24')
        except (self.av.FFmpegError, ValueError) as error:
            return Frame(None, f'damaged: {_reason(error)}', at, self.name)
        turns = round(frame.rotation / 90) % 4
        if turns:
            # the rotation is counter-clockwise
            image = np.ascontiguousarray(np.rot90(image, turns))
        return Frame(image, None, at, self.name)

    def close(self) -> None:
        if self.container is not None:
            self.container.close()
            self.container = None


def _shown(address: str) -> str:
    """An address without passwords and tokens; paths stay as they are."""
    if '://' not in address:
        return address
    return re.split('[?#]', re.sub('//[^/]*@', '//', address))[0]


def _reason(error: Exception) -> str:
    return getattr(error, 'strerror', None) or str(error)


class _Live(FrameSource):
    """What may be lost and come back.

    A source that gives nothing for ``timeout`` seconds, or says that it has
    ended, is lost. It is opened again up to ``reconnect`` times with waits of
    1, 2, 4, ... at most 30 seconds, and every attempt is a frame with a
    problem. Whoever delivers a frame has all attempts again. Times are those
    at which frames come, which go on behind a loss. What inherits
    has ``_connect()``, which raises SourceError, and ``_frames()``.

    Args:
        name (str): As it was given.
        stem (str): Name for output files.
        timeout (float): Seconds.
        reconnect (int): Attempts.
    """

    live = True

    def __init__(self, name: str, stem: str, timeout: float, reconnect: int):
        FrameSource.__init__(self, name, stem)
        self.timeout, self.reconnect = timeout, reconnect
        self._stopped = threading.Event()

    def sleep(self, seconds: float) -> None:
        """Until it is time to connect again; replaced in tests."""
        self._stopped.wait(seconds)

    def stop(self) -> None:
        """End a wait, and connect no more."""
        self._stopped.set()

    def _connect(self) -> None:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Frame]:
        start = time.monotonic()
        for frame in self._until_lost():
            yield frame._replace(time=time.monotonic() - start)

    def _until_lost(self) -> Iterator[Frame]:
        attempt, why = 0, 'lost'
        while True:
            if attempt:
                if attempt > self.reconnect:
                    self.ended = (f'lost ({why}), and {self.reconnect} '
                                  'attempts to connect again failed')
                    return
                self.close()
                self.sleep(min(2**(attempt - 1), 30))
                if self._stopped.is_set():
                    return
                try:
                    self._connect()
                except SourceError as error:
                    why = str(error)
                    attempt += 1
                    yield Frame(None, f'lost: {why}', None, self.name)
                    continue
            self.ended = None
            for frame in self._frames():
                attempt = 0
                yield frame
            why = self.ended or 'it ended'
            attempt += 1
            yield Frame(None, f'lost: {why}', None, self.name)


class NetworkStream(_Live, VideoFile):
    """A live address such as rtsp://..., through PyAV.

    Args:
        address (str): What FFmpeg opens.
        timeout (float): Seconds without data after which it is lost.
            Defaults to 10.
        reconnect (int): How often it is connected to again.
            Defaults to 5.

    Raises:
        SourceError: If PyAV is missing or nothing answers at first.
    """

    def __init__(self, address: str, timeout: float = 10., reconnect: int = 5):
        shown = _shown(address)
        _Live.__init__(self, shown, shown.split('://')[-1].rstrip('/'),
                       timeout, reconnect)
        self.address = address
        self.av = import_av()
        self.container = None
        self._connect()

    def _connect(self) -> None:
        options = {}
        if self.address.startswith('rtsp'):
            options = dict(rtsp_transport='tcp')
        self._open(timeout=self.timeout, options=options)
        self.length = None


class Camera(_Live):
    """A camera by its number, through OpenCV.

    Args:
        number (int): From 0.
        reconnect (int): How often it is opened again. Defaults to 5.

    Raises:
        SourceError: If it cannot be opened.
    """

    decoder = 'OpenCV camera'

    def __init__(self, number: int, reconnect: int = 5):
        super().__init__(str(number), f'camera{number}', 0., reconnect)
        self.number = number
        self._connect()

    def _connect(self) -> None:
        self.capture = cv2.VideoCapture(self.number)
        if not self.capture.isOpened():
            raise SourceError(f'camera {self.number} cannot be opened')
        fps = self.capture.get(cv2.CAP_PROP_FPS)
        if 0 < fps < 1000:
            self.fps = fps

    def _frames(self) -> Iterator[Frame]:
        while True:
            ok, image = self.capture.read()
            if not ok:
                self.ended = 'the camera gives no frames'
                return
            yield Frame(image, None, None, self.name)

    def close(self) -> None:
        self.capture.release()


def _is_image(item: Any) -> bool:
    """Whether an item of a list is one image and not a stream."""
    if item is None or isinstance(item, np.ndarray):
        return item is None or item.ndim == 3
    return (isinstance(item, (str, Path))
            and Path(item).suffix.lower() in IMAGES
            and not glob.has_magic(str(item)))


def image_files(paths: Iterable[Union[str, Path]]) -> List[Path]:
    """Images among paths, in natural order; pipes and folders are not."""
    return sorted((Path(p) for p in paths
                   if Path(p).suffix.lower() in IMAGES and Path(p).is_file()),
                  key=natural_order)


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
