"""Flat drawings in metres that become textures."""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .scene import Texture, upright
from .textures import Colour, bgra

_SHIFT = 4  # fractional bits of the coordinates given to OpenCV


class Sketch:
    """A drawing on a transparent sheet; x to the right, y up, in metres.

    Args:
        left (float): Left edge.
        right (float): Right edge.
        bottom (float): Lower edge.
        top (float): Upper edge.
        density (float): Texels per metre.
        colour (np.ndarray): What fringes fade into.
    """

    def __init__(self, left: float, right: float, bottom: float, top: float,
                 density: float, colour: Colour) -> None:
        self.box = (left, right, bottom, top)
        self.density = density
        rows = max(2, round((top - bottom) * density))
        cols = max(2, round((right - left) * density))
        pixel = np.array(bgra(colour, 0), np.uint8).view(np.uint32)
        self.picture = np.full((rows, cols), pixel[0]).view(np.uint8)
        self.picture = self.picture.reshape(rows, cols, 4)

    def _texels(self, points: Sequence[tuple[float, float]]) -> np.ndarray:
        left, _, _, top = self.box
        scale = self.density * 2**_SHIFT
        half = 2**(_SHIFT - 1)
        return np.array([(round((x - left) * scale - half),
                          round((top - y) * scale - half))
                         for x, y in points], np.int32)

    def polygon(self,
                points: Sequence[tuple[float, float]],
                colour: Colour,
                alpha: int = 255) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.picture, [self._texels(points)],
                     bgra(colour, alpha), cv2.LINE_8, _SHIFT)

    def rect(self,
             left: float,
             right: float,
             bottom: float,
             top: float,
             colour: Colour,
             alpha: int = 255) -> None:
        """Fill a rectangle."""
        self.polygon([(left, bottom), (left, top), (right, top),
                      (right, bottom)], colour, alpha)

    def disc(self,
             x: float,
             y: float,
             radius: float,
             colour: Colour,
             alpha: int = 255) -> None:
        """Fill a circle."""
        middle = self._texels([(x, y)])[0]
        cv2.circle(self.picture, (int(middle[0]), int(middle[1])),
                   round(radius * self.density * 2**_SHIFT),
                   bgra(colour, alpha), -1, cv2.LINE_8, _SHIFT)

    def ring(self, x: float, y: float, radius: float, width: float,
             colour: Colour) -> None:
        """Draw a circle's outline."""
        middle = self._texels([(x, y)])[0]
        cv2.circle(self.picture, (int(middle[0]), int(middle[1])),
                   round(radius * self.density * 2**_SHIFT), bgra(colour),
                   max(1, round(width * self.density)), cv2.LINE_8, _SHIFT)

    def line(self, points: Sequence[tuple[float, float]], width: float,
             colour: Colour) -> None:
        """Draw a polyline."""
        cv2.polylines(self.picture, [self._texels(points)], False,
                      bgra(colour), max(1, round(width * self.density)),
                      cv2.LINE_8, _SHIFT)

    def shade(self, tile: np.ndarray) -> None:
        """Lay the brightness of a material (BGR, 128 = as is) over it."""
        self.picture[..., :3] = cv2.multiply(
            self.picture[..., :3], tile, scale=1 / 128)

    def texture(self, see_through: bool = False) -> Texture:
        """The drawing as a texture."""
        return Texture(self.picture, see_through)

    def across(self, z: float = 0.0) -> np.ndarray:
        """Frame of the sheet across the street: x is the body's x."""
        left, right, bottom, top = self.box
        return upright((left, z), (right, z), bottom, top)

    def along(self, x: float = 0.0) -> np.ndarray:
        """Frame of the sheet along the street: x is the body's z."""
        left, right, bottom, top = self.box
        return upright((x, left), (x, right), bottom, top)
