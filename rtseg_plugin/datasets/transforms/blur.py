from typing import Optional, Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomGaussianBlur(BaseTransform):
    """Blur the image with a Gaussian of a random width.

    The defaults are those of GAIN's official training (hustvl/simpleseg),
    which blurs every image.

    Required and modified key: ``img``.

    Args:
        sigma (tuple[float, float]): Range of the standard deviation, in
            pixels. Defaults to (0.15, 1.3).
        prob (float): Probability of a blur. Defaults to 1.

    Raises:
        ValueError: If ``sigma`` is no range of positive numbers or ``prob``
            no probability.
    """

    def __init__(self,
                 sigma: Sequence[float] = (0.15, 1.3),
                 prob: float = 1.):
        if len(sigma) != 2 or not 0 < sigma[0] <= sigma[1]:
            raise ValueError('sigma must be two rising positive numbers, got '
                             f'{sigma}')
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be in [0, 1], got {prob}')
        self.sigma = tuple(sigma)
        self.prob = prob

    @cache_randomness
    def _draw(self) -> Optional[float]:
        """Draw the sigma of one image, None for no blur."""
        blur, sigma = np.random.rand(), np.random.uniform(*self.sigma)
        return sigma if blur < self.prob else None

    def transform(self, results: dict) -> dict:
        """Blur ``results['img']``, of shape (H, W, C).

        Args:
            results (dict): With ``img``.

        Returns:
            dict: The same dict with a new ``img``.
        """
        sigma = self._draw()
        if sigma is not None:
            # size (0, 0): as many taps as sigma needs
            results['img'] = cv2.GaussianBlur(
                results['img'], (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(sigma={self.sigma}, '
                f'prob={self.prob})')
