from typing import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomScale(BaseTransform):
    """Scale an image and its labels by a random factor of its own size.

    The host's ``RandomResize`` scales a size that is given, the same for all
    images: not the same thing where their sizes differ (ADE20K). As in GAIN's
    official training (hustvl/simpleseg), by default with its bicubic images.
    Labels are always interpolated by the nearest neighbour.

    Required and modified keys: ``img``, ``img_shape``, ``gt_seg_map`` (where
    it is present). Added keys: those of the host's ``Resize``.

    Args:
        ratio_range (tuple[float, float]): Range of the factor. Defaults to
            (0.5, 2.0).
        interpolation (str): Of the image. Defaults to 'bicubic'.
    """

    def __init__(self,
                 ratio_range: Sequence[float] = (0.5, 2.0),
                 interpolation: str = 'bicubic'):
        if len(ratio_range) != 2 or not 0 < ratio_range[0] <= ratio_range[1]:
            raise ValueError('ratio_range must be two rising positive '
                             f'numbers, got {ratio_range}')
        self.ratio_range = tuple(ratio_range)
        self.interpolation = interpolation
        self.resize = TRANSFORMS.build(
            dict(type='Resize', scale=(1, 1), interpolation=interpolation))

    @cache_randomness
    def _draw(self) -> float:
        return np.random.uniform(*self.ratio_range)

    def transform(self, results: dict) -> dict:
        """Scale ``results['img']``, of shape (H, W, C), and its labels.

        Args:
            results (dict): With ``img``.

        Returns:
            dict: The dict of the host's ``Resize``.
        """
        h, w = results['img'].shape[:2]
        ratio = self._draw()
        self.resize.scale = (max(round(w * ratio), 1), max(
            round(h * ratio), 1))
        return self.resize(results)

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(ratio_range={self.ratio_range}, '
                f'interpolation={self.interpolation!r})')
