"""Frames of video files, live addresses and cameras.

Needs neither torch nor the host.
"""
import re
import threading
import time
from pathlib import Path
from typing import Any, Iterator, List, Optional

import cv2
import numpy as np

from .frames import Frame, FrameSource, SourceError


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
        # where FFmpeg's mean and finest rates are one, the rate is trusted:
        # times may be wrong, as in an AVI with B-frames; Matroska and WebM
        # may declare a rate that their frames have not
        self.uneven = (self.live or float(rate or 0) != self.fps
                       or self.stream.average_rate != self.stream.base_rate
                       or 'matroska' in container.format.name)
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


class LiveSource(FrameSource):
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

    live = uneven = True

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


class NetworkStream(LiveSource, VideoFile):
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
        LiveSource.__init__(self, shown, shown.split('://')[-1].rstrip('/'),
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


class Camera(LiveSource):
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
