from typing import Tuple

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS


def _shift(array: np.ndarray, down: int, right: int,
           fill: float) -> np.ndarray:
    result = np.full_like(array, fill)
    height, width = array.shape[:2]
    result[max(down, 0):height + min(down, 0),
           max(right, 0):width + min(right, 0)] = array[
               max(-down, 0):height + min(-down, 0),
               max(-right, 0):width + min(-right, 0)]
    return result


@TRANSFORMS.register_module()
class RandomShift(BaseTransform):
    """Shift image and label by a few pixels along each axis.

    LMANet's augmentation, with one difference: its code fills the uncovered
    edge of the label with class 0 (road) where the shift is negative; here it
    is always ignored.

    Args:
        max_shift (int): Largest shift in pixels; the shift is drawn for each
            axis from -max_shift ... max_shift. Defaults to 2.
        pad_val (float): What the image gets at the uncovered edge. Defaults
            to 0.
        seg_pad_val (int): What the label gets there. Defaults to 255.
    """

    def __init__(self,
                 max_shift: int = 2,
                 pad_val: float = 0,
                 seg_pad_val: int = 255) -> None:
        if max_shift < 0:
            raise ValueError(f'max_shift is {max_shift}, not 0 or more')
        self.max_shift = max_shift
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val

    @cache_randomness
    def _draw(self) -> Tuple[int, int]:
        down, right = np.random.randint(-self.max_shift, self.max_shift + 1, 2)
        return int(down), int(right)

    def transform(self, results: dict) -> dict:
        """Shift ``img`` and all ``seg_fields``."""
        down, right = self._draw()
        results['img'] = _shift(results['img'], down, right, self.pad_val)
        for key in results.get('seg_fields', []):
            results[key] = _shift(results[key], down, right, self.seg_pad_val)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(max_shift={self.max_shift}, '
                f'pad_val={self.pad_val}, seg_pad_val={self.seg_pad_val})')
