"""What comes out for a frame. Needs neither torch nor the host."""
from pathlib import Path
from typing import NamedTuple, Optional, Sequence, Union

import cv2
import numpy as np


def colour_table(palette: Optional[Sequence[Sequence[int]]],
                 classes: int) -> np.ndarray:
    """Colours by label, BGR.

    Args:
        palette (Sequence, optional): RGB of each class. None, where nothing
            says what the colours are, makes up colours by number.
        classes (int): Number of classes.

    Returns:
        np.ndarray: (256 or more, 3), uint8, black for other labels.
    """
    table = np.zeros((max(256, classes), 3), np.uint8)
    colours = np.array(
        np.random.default_rng(0).integers(0, 256, (classes, 3))
        if palette is None else palette, np.uint8)
    table[:len(colours)] = colours[:, ::-1]
    return table


def overlay(frame: np.ndarray, labels: np.ndarray, colours: np.ndarray,
            opacity: float = 0.5) -> np.ndarray:
    """Colours of classes over a frame.

    Args:
        frame (np.ndarray): (H, W, 3), BGR, uint8.
        labels (np.ndarray): (H, W).
        colours (np.ndarray): See :func:`colour_table`.
        opacity (float): Of the colours, 0 to 1. Defaults to 0.5.

    Returns:
        np.ndarray: (H, W, 3), uint8.
    """
    if labels.dtype == np.uint8:
        painted = cv2.applyColorMap(labels, colours[:256, None])
    else:
        painted = colours.take(labels, 0)
    return cv2.addWeighted(painted, opacity, frame, 1 - opacity, 0)


class FrameResult(NamedTuple):
    """What a session or a segmentor says about one frame.

    Attributes:
        index (int): Number of the frame in its stream, bad ones counted.
        labels (np.ndarray | None): Class of each pixel, (H, W) of the frame,
            uint8 or int64 for more than 256 classes. None for a bad frame
            that is not held, or before the first good one.
        seconds (float): From the frame to its labels; of a batch, for all.
        problem (str | None): What is wrong with a bad frame, or None.
        source (str | None): File of an image, or name of the stream.
        frame (np.ndarray | None): (H, W, 3), BGR, that the labels are of: of
            a held frame the one that it repeats.
        stream (int): Which of several streams.
        time (float | None): Seconds since the beginning of a video file, or
            until it came of a live source.
        colours (np.ndarray | None): Of the overlay, by label, BGR.
    """
    index: int  # type: ignore[assignment]  # a tuple's method
    labels: Optional[np.ndarray]
    seconds: float
    problem: Optional[str] = None
    source: Optional[str] = None
    frame: Optional[np.ndarray] = None
    stream: int = 0
    time: Optional[float] = None
    colours: Optional[np.ndarray] = None

    def overlay(self, opacity: float = 0.5) -> np.ndarray:
        """The frame with the colours of its classes.

        Args:
            opacity (float): Of the colours, 0 to 1. Defaults to 0.5.

        Returns:
            np.ndarray: (H, W, 3), uint8, BGR.

        Raises:
            ValueError: If there are no labels.
        """
        labels = self._need_labels()
        assert self.frame is not None  # labels come with both
        assert self.colours is not None
        return overlay(self.frame, labels, self.colours, opacity)

    def save(self, path: Union[str, Path], what: str = 'overlay',
             opacity: float = 0.5) -> None:
        """Write a picture; its folder is made.

        Args:
            path (str | Path): File, such as ``out/a.png``.
            what (str): 'overlay', or 'labels' for the numbers of the classes
                (without loss, so as PNG or TIFF; 16 bit beyond 256 classes).
                Defaults to 'overlay'.
            opacity (float): Of an overlay, 0 to 1. Defaults to 0.5.

        Raises:
            ValueError: If there are no labels, or the format would change
                them.
            OSError: If it cannot be written.
        """
        path = Path(path)
        if what == 'overlay':
            picture = self.overlay(opacity)
        elif what == 'labels':
            picture = self._need_labels()
            if path.suffix.lower() not in ('.png', '.tif', '.tiff'):
                raise ValueError(f'labels are kept without loss, in .png or '
                                 f'.tif, not in {path.suffix or path.name}')
            if picture.dtype != np.uint8:
                picture = picture.astype(np.uint16)
        else:
            raise ValueError(f"what to save is 'overlay' or 'labels', not "
                             f'{what!r}')
        write_picture(path, picture)

    def _need_labels(self) -> np.ndarray:
        if self.labels is None:
            raise ValueError(f'frame {self.index} has no labels: '
                             f'{self.problem}')
        return self.labels


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write an image whole or not at all; OSError if it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        fine, data = cv2.imencode(path.suffix, picture)
    except cv2.error:
        fine = False
    if not fine:
        raise OSError(f'{path} is of no format that OpenCV writes')
    part = path.with_name(f'{path.name}.part')
    part.write_bytes(data.tobytes())
    part.replace(path)
