"""How frames are resized. Needs neither torch nor the host."""
from typing import Any, Dict, NamedTuple, Optional, Tuple

import cv2
import numpy as np

Size = Tuple[int, int]

# backend: interpolations, as mmcv names them, and what OpenCV calls them
INTERPOLATIONS: Dict[str, Dict[str, Any]] = dict(
    cv2=dict(
        nearest=cv2.INTER_NEAREST, bilinear=cv2.INTER_LINEAR,
        bicubic=cv2.INTER_CUBIC, area=cv2.INTER_AREA,
        lanczos=cv2.INTER_LANCZOS4),
    pillow=dict.fromkeys(
        ('nearest', 'bilinear', 'bicubic', 'box', 'lanczos', 'hamming')))


class Resize(NamedTuple):
    """What mmcv's ``Resize`` does to an image, without mmcv.

    Attributes:
        scale (tuple[int, int] | None): Width and height, or two bounds in
            any order if the ratio is kept.
        scale_factor (tuple[float, float] | None): Of width and height, where
            there is no scale.
        keep_ratio (bool): Whether sides shrink or grow alike, as far as the
            scale allows.
        interpolation (str): One of its backend's ``INTERPOLATIONS``.
        backend (str): 'cv2' or 'pillow'.
    """
    scale: Optional[Tuple[int, int]]
    scale_factor: Optional[Tuple[float, float]]
    keep_ratio: bool
    interpolation: str
    backend: str

    def size(self, frame: np.ndarray) -> Size:
        """Height and width that a frame (H, W, 3) gets.

        Raises:
            ValueError: If one of them were zero.
        """
        height, width = frame.shape[:2]
        by = self.scale_factor or (1., 1.)
        scale = self.scale or (_rounded(width, by[0]), _rounded(height, by[1]))
        if self.keep_ratio:
            ratio = min(max(scale) / max(height, width),
                        min(scale) / min(height, width))
            scale = _rounded(width, ratio), _rounded(height, ratio)
        if min(scale) < 1:
            raise ValueError(f'{height}x{width} is too thin: resized it would '
                             f'be {scale[1]}x{scale[0]}')
        return scale[1], scale[0]


def _rounded(side: int, ratio: float) -> int:
    return int(side * ratio + 0.5)


def resize_frame(frame: np.ndarray, size: Size,
                 interpolation: str = 'bilinear',
                 backend: str = 'cv2') -> np.ndarray:
    """Resize as mmcv's ``imresize`` does.

    Args:
        frame (np.ndarray): (H, W, 3), uint8.
        size (tuple[int, int]): Height and width.
        interpolation (str): Defaults to 'bilinear'.
        backend (str): 'cv2' or 'pillow'. Defaults to 'cv2'.

    Returns:
        np.ndarray: Contiguous; the frame itself where that is all it takes.
    """
    frame = np.ascontiguousarray(frame)
    if frame.shape[:2] == tuple(size):
        return frame
    if backend == 'cv2':
        return cv2.resize(
            frame, size[::-1],
            interpolation=INTERPOLATIONS['cv2'][interpolation])
    from PIL import Image
    return np.array(Image.fromarray(frame).resize(
        size[::-1], Image.Resampling[interpolation.upper()]))
