"""Writing videos. Needs neither torch nor the host."""
from fractions import Fraction
from pathlib import Path
from typing import Any, Optional, Tuple, Union

import numpy as np

from .video_sources import import_av

# What times are counted in, to the second.
_TICKS = 90000


class VideoWriter:
    """Writes BGR frames as H.264 (yuv420p), which browsers play.

    The file has another name until it is closed, so that a file of this name
    is whole.

    Args:
        path (str | Path): File to write, such as ``out.mp4``; its folder is
            made.
        size (tuple[int, int]): Height and width.
        fps (float): Frames per second. Defaults to 25.

    Raises:
        SourceError: If PyAV is not installed.
        ValueError: If frames are too small, or the name is not of a video.
        OSError: If the file cannot be written.
    """

    def __init__(self, path: Union[str, Path], size: Tuple[int, int],
                 fps: float = 25.):
        self.av = import_av()
        if min(size) < 2:
            raise ValueError(f'a video of {size[0]}x{size[1]} pixels cannot '
                             'be written, 2x2 is the least')
        self.path, self.size = Path(path), tuple(size)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._part = self.path.with_name(
            f'{self.path.stem}.part{self.path.suffix}')
        try:
            self.container = self.av.open(str(self._part), 'w')
        except ValueError as error:
            raise ValueError(f'{self.path} cannot be a video ({error}): '
                             'name it .mp4') from None
        rate = Fraction(fps).limit_denominator(1001)
        # half the time of x264's next slower preset: the network needs it
        self.stream = self.container.add_stream(
            'libx264', rate=rate, options=dict(preset='superfast'))
        # chroma is stored at half the size: odd sides lose a line
        self.stream.height, self.stream.width = (x - x % 2 for x in size)
        self.stream.pix_fmt = 'yuv420p'
        self.stream.thread_type = 'AUTO'
        self._first: Optional[float] = None  # time of a frame
        self._last = -1  # ticks behind it
        self._duration = round(_TICKS / rate)

    def write(self, frame: np.ndarray, time: Optional[float] = None) -> None:
        """Append a frame.

        Args:
            frame (np.ndarray): (H, W, 3), BGR.
            time (float, optional): Seconds, which do not get less, for all
                frames or for none: the frame is shown until that of the
                next one. Defaults to None: all are shown equally long.

        Raises:
            ValueError: If it is of another size.
        """
        if frame.shape[:2] != self.size:
            raise ValueError(
                f'{self.path} is a video of {self.size[0]}x{self.size[1]}, '
                f'this frame is {frame.shape[0]}x{frame.shape[1]}')
        frame = np.ascontiguousarray(
            frame[:self.stream.height, :self.stream.width])
        picture = self.av.VideoFrame.from_ndarray(frame, format='bgr24')
        if time is not None:
            self._put(picture, time)
        self.container.mux(self.stream.encode(picture))

    def _put(self, picture: Any, time: float) -> None:
        """Give a picture its time, and one of its own."""
        if self._first is None:
            self._first = time
            context = self.stream.codec_context
            context.time_base = Fraction(1, _TICKS)
            # in the order of their times, else the file says that it ends
            # where the last ones in another order were due
            context.max_b_frames = 0
        self._last = max(self._last + 1,
                         round((time - self._first) * _TICKS))
        picture.pts, picture.time_base = self._last, Fraction(1, _TICKS)
        picture.duration = self._duration

    def close(self) -> None:
        """Finish the file."""
        if self.container is None:
            return
        self.container.mux(self.stream.encode())
        self.container.close()
        self.container = None
        self._part.replace(self.path)
