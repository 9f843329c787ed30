"""Frames in and out: folders, files, cameras, addresses."""
import os.path as osp
import re
from pathlib import Path
from typing import Iterator, Optional, Tuple, Union

import cv2
import numpy as np

IMAGES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp', '.tif', '.tiff')
# Reads that may fail in a row before a stream counts as ended.
MAX_FAILURES = 25


def _natural(path: Path) -> list:
    return [int(x) if x.isdigit() else x for x in re.split(r'(\d+)',
                                                           path.name)]


class FrameSource:
    """Iterates over the frames of a source.

    An item is a BGR array (H, W, 3), or None for a frame that could not be
    read: an image file that is damaged, or a frame of a video file or a live
    stream that does not decode.

    Args:
        source (str | int): A folder of images (in natural order of their
            names), a video file, the number of a camera, or an address that
            OpenCV opens, such as rtsp://...

    Raises:
        FileNotFoundError: If there is no such file or folder, or no image in
            the folder.
        RuntimeError: If it cannot be opened as a video.
    """

    def __init__(self, source: Union[str, int]):
        self.name = str(source)
        self.capture = None
        self.files = None
        self.fps = 25.
        self.length: Optional[int] = None
        if osp.isdir(self.name):
            self.files = sorted(
                (p for p in Path(self.name).iterdir()
                 if p.suffix.lower() in IMAGES),
                key=_natural)
            if not self.files:
                raise FileNotFoundError(
                    f'{source} holds no images ({", ".join(IMAGES)})')
            self.length = len(self.files)
            return
        self.live = self.name.isdigit() or '://' in self.name
        if not self.live and not osp.isfile(self.name):
            raise FileNotFoundError(
                f'{source} is no folder, no file, no camera number and no '
                'address')
        self.capture = cv2.VideoCapture(
            int(self.name) if self.name.isdigit() else self.name)
        if not self.capture.isOpened():
            raise RuntimeError(f'{source} cannot be opened as a video')
        fps = self.capture.get(cv2.CAP_PROP_FPS)
        if 0 < fps < 1000:
            self.fps = fps
        count = int(self.capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if not self.live and count > 0:
            self.length = count

    @property
    def stem(self) -> str:
        """Name for output files."""
        if self.name.isdigit():
            return f'camera{self.name}'
        name = self.name.split('://')[-1].rstrip('/')
        name = Path(name).stem if self.files is None else Path(name).name
        return re.sub(r'[^\w.-]+', '_', name) or 'stream'

    def __iter__(self) -> Iterator[Optional[np.ndarray]]:
        if self.files is not None:
            for path in self.files:
                yield cv2.imread(str(path))
            return
        index = failures = 0
        while True:
            ok, frame = self.capture.read()
            index += 1
            if ok:
                failures = 0
                yield frame
                continue
            failures += 1
            # the count of a container is not always right: give up at its
            # end, and elsewhere after a while
            ended = self.length is not None and index > self.length
            if ended or failures > MAX_FAILURES or (self.length is None
                                                    and not self.live):
                return
            yield None

    def close(self) -> None:
        """Let go of the camera or file."""
        if self.capture is not None:
            self.capture.release()


class VideoWriter:
    """Writes BGR frames to a video file, with PyAV if it is installed.

    Args:
        path (str): File to write, such as ``out.mp4``; its folder is made.
        size (tuple[int, int]): Height and width.
        fps (float): Frames per second. Defaults to 25.

    Raises:
        RuntimeError: If neither PyAV nor OpenCV can write it.
    """

    def __init__(self, path: str, size: Tuple[int, int], fps: float = 25.):
        Path(path).resolve().parent.mkdir(parents=True, exist_ok=True)
        self.path, self.size = path, size
        self.container = self.writer = None
        try:
            import av
        except ImportError:
            self.writer = cv2.VideoWriter(
                path, cv2.VideoWriter_fourcc(*'mp4v'), fps, size[::-1])
            if not self.writer.isOpened():
                raise RuntimeError(
                    f'OpenCV cannot write {path}; pip install av, or choose '
                    'a .mp4 file') from None
            return
        self.av = av
        self.container = av.open(path, 'w')
        self.stream = self.container.add_stream('h264', rate=round(fps) or 1)
        # chroma is stored at half the size: odd sides lose a line
        self.stream.height, self.stream.width = (x - x % 2 for x in size)
        self.stream.pix_fmt = 'yuv420p'

    def write(self, frame: np.ndarray) -> None:
        """Append a frame (H, W, 3), BGR."""
        if self.writer is not None:
            self.writer.write(frame)
            return
        frame = np.ascontiguousarray(
            frame[:self.stream.height, :self.stream.width])
        picture = self.av.VideoFrame.from_ndarray(frame, format='bgr24')
        self.container.mux(self.stream.encode(picture))

    def close(self) -> None:
        """Finish the file."""
        if self.writer is not None:
            self.writer.release()
        elif self.container is not None:
            self.container.mux(self.stream.encode())
            self.container.close()
