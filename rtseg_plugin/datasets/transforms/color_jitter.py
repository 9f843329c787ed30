from typing import Dict, List, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS

_OPERATIONS = ('brightness', 'contrast', 'saturation', 'hue')


def _adjust_brightness(img: np.ndarray, factor: float) -> np.ndarray:
    levels = np.arange(256) * factor
    return cv2.LUT(img, np.clip(levels, 0, 255).astype(np.uint8))


def _adjust_contrast(img: np.ndarray, factor: float) -> np.ndarray:
    mean = int(cv2.mean(cv2.cvtColor(img, cv2.COLOR_BGR2GRAY))[0] + 0.5)
    levels = mean + (np.arange(256) - mean) * factor
    return cv2.LUT(img, np.clip(levels, 0, 255).astype(np.uint8))


def _adjust_saturation(img: np.ndarray, factor: float) -> np.ndarray:
    gray = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)
    gray = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    return cv2.addWeighted(img, factor, gray, 1 - factor, 0)


def _adjust_hue(img: np.ndarray, shift: float) -> np.ndarray:
    # the _FULL form spreads the circle over 256 levels, so uint8 wraps right
    hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV_FULL)
    levels = (np.arange(256) + round(shift * 256)) % 256
    hsv[..., 0] = cv2.LUT(hsv[..., 0], levels.astype(np.uint8))
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL)


_ADJUST = dict(
    brightness=_adjust_brightness,
    contrast=_adjust_contrast,
    saturation=_adjust_saturation,
    hue=_adjust_hue)


@TRANSFORMS.register_module()
class RandomColorJitter(BaseTransform):
    """Brightness, contrast, saturation and hue as in PIL and torchvision.

    The host's ``PhotoMetricDistortion`` adds brightness instead of scaling
    it, scales contrast about 0 instead of the image's mean grey, and fixes
    the order and the probability. The defaults are the jitter of the official
    RTFormer, whose hue comes from a default that its configs do not name.

    Required and modified key: ``img`` (BGR, uint8).

    Args:
        brightness (tuple[float, float], optional): Range of the factor on all
            values; None leaves this out. Defaults to (0.6, 1.4).
        contrast (tuple[float, float], optional): Range of the factor on the
            distance to the mean grey. Defaults to (0.6, 1.4).
        saturation (tuple[float, float], optional): Range of the factor on the
            distance to each pixel's own grey. Defaults to (0.6, 1.4).
        hue (tuple[float, float], optional): Range of the shift in fractions
            of the hue circle. Defaults to (-18 / 255, 18 / 255).
        prob (float | dict[str, float]): Probability of each of the four, one
            for all or by name; a name left out is always applied. Defaults to
            0.5.
        random_order (bool): Whether the order is drawn anew for each image;
            else it is the one of the arguments. Defaults to True.
    """

    def __init__(self,
                 brightness: Optional[Sequence[float]] = (0.6, 1.4),
                 contrast: Optional[Sequence[float]] = (0.6, 1.4),
                 saturation: Optional[Sequence[float]] = (0.6, 1.4),
                 hue: Optional[Sequence[float]] = (-18 / 255, 18 / 255),
                 prob: Union[float, Dict[str, float]] = 0.5,
                 random_order: bool = True):
        super().__init__()
        ranges = dict(
            brightness=brightness,
            contrast=contrast,
            saturation=saturation,
            hue=hue)
        self.ranges = {k: v for k, v in ranges.items() if v is not None}
        for name, bounds in self.ranges.items():
            low, high = (-1, 1) if name == 'hue' else (0, float('inf'))
            if len(bounds) != 2 or not low <= bounds[0] <= bounds[1] <= high:
                raise ValueError(
                    f'{name} must be two rising numbers within [{low}, '
                    f'{high}], got {bounds}')
        if not isinstance(prob, dict):
            prob = dict.fromkeys(_OPERATIONS, prob)
        unknown = set(prob) - set(_OPERATIONS)
        if unknown or not all(0 <= p <= 1 for p in prob.values()):
            raise ValueError('prob must be in [0, 1], one for all or by name '
                             f'({", ".join(_OPERATIONS)}), got {prob}')
        self.prob = prob
        self.random_order = random_order

    @cache_randomness
    def _draw(self) -> List[Tuple[str, float]]:
        """Draw the operations of one image, in their order."""
        names = list(self.ranges)
        if self.random_order:
            np.random.shuffle(names)
        # a draw for each, applied or not, keeps the stream of random numbers
        # independent of the outcome
        draws = [(name, np.random.rand(), np.random.uniform(
            *self.ranges[name])) for name in names]
        return [(name, value) for name, chance, value in draws
                if chance < self.prob.get(name, 1.)]

    def transform(self, results: dict) -> dict:
        """Jitter ``results['img']``.

        Args:
            results (dict): With ``img``, (H, W, 3), BGR, uint8.

        Returns:
            dict: The same dict with a new ``img``.
        """
        img = results['img']
        if img.dtype != np.uint8 or img.ndim != 3 or img.shape[2] != 3:
            raise TypeError(
                'RandomColorJitter needs a BGR image of type uint8 and shape '
                f'(H, W, 3), got {img.dtype} of shape {img.shape}; place it '
                'after loading without to_float32')
        for name, value in self._draw():
            img = _ADJUST[name](img, value)
        results['img'] = img
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}({self.ranges}, prob={self.prob}, '
                f'random_order={self.random_order})')
