"""The plan of a street, drawn at random: widths, lanes, light, camera."""
import math
from typing import NamedTuple

import numpy as np

from .scene import Camera, Label, Look, Scene, Wave, upright
from .textures import sky

SPOTLIGHTS = ('tram', 'bus', 'truck', 'motorcycle', 'bicycle', 'barrier')
"""Rare things that the scenes take turns to show."""

STREET_START = -8.0
"""From where on things stand along the street, in metres."""


class Side(NamedTuple):
    """One side of the street.

    Distances from x = 0: the end of the road at the kerb, of the verge, of
    the pavement and the line of the buildings. ``sign`` is -1 on the left;
    ``parking`` tells whether cars may stand at the kerb.
    """

    sign: int
    kerb: float
    verge: float
    walk: float
    line: float
    parking: bool


class Plan:
    """The measures of a street and the scene to fill.

    Args:
        rng (np.random.Generator): Source of randomness of the whole scene.
        spotlight (str): Which rare thing must be there, of SPOTLIGHTS.

    Attributes:
        scene (Scene): Camera, light and sky; the rest is to be added.
        district (str): 'centre', 'suburb' or 'outskirts'.
        sun (tuple): Direction of the light along x and z.
        sunny (float): How much of the light comes from there.
        lane (float): Width of a lane.
        right_lanes (int): Lanes to the right of the own one.
        left_lanes (int): Lanes of the opposite direction.
        gap (tuple): Left and right end of what divides the directions.
        track (bool): Whether that is a tram's track.
        median (bool): Whether that is a strip of green.
        sides (list[Side]): The left and the right side.
        crossing (tuple, optional): Start and end of the cross street.
        zebra (tuple, optional): Start and end of the pedestrian crossing.
    """

    def __init__(self, rng: np.random.Generator, spotlight: str) -> None:
        self.rng = rng
        self.spotlight = spotlight
        self.district = ('centre', 'suburb', 'outskirts')[rng.choice(
            3, p=(0.55, 0.28, 0.17))]
        if spotlight == 'barrier' and self.district == 'centre':
            self.district = 'suburb'
        texture, haze = sky(rng)
        self.scene = Scene(self._camera(), self._look(haze))
        self.scene.add(upright((-2600, 1500), (2600, 1500), -60, 1500),
                       texture, Label.SKY)
        self.sun = (rng.uniform(-1, 1), rng.uniform(-1, 1))
        self.sunny = rng.uniform(0.0, 0.6)
        self._measure()

    def _camera(self) -> Camera:
        rng = self.rng
        speed = 0.0 if rng.random() < 0.1 else rng.uniform(0.06, 0.42)

        def wave(slow: float, fast: float) -> Wave:
            return Wave(((rng.uniform(0, slow), rng.uniform(0.1, 0.4),
                          rng.uniform(0, 2 * math.pi)),
                         (rng.uniform(0, fast), rng.uniform(1.2, 2.8),
                          rng.uniform(0, 2 * math.pi))))

        shake = 1.0 if speed else 0.3
        return Camera(
            focal=rng.uniform(0.72, 0.92),
            horizon=rng.uniform(0.38, 0.48),
            position=(rng.normal(0, 0.2), rng.uniform(1.25, 1.9), 0.0),
            speed=speed,
            angles=(rng.normal(0, 0.035), rng.normal(0, 0.012),
                    rng.normal(0, 0.008)),
            yaw_rate=shake * rng.normal(0, 0.002),
            waves=(wave(0.05, 0.01), wave(0.03, 0.012 * shake),
                   wave(0.004, 0.0012 * shake), wave(0.003, 0.003 * shake),
                   wave(0.004, 0.002 * shake)))

    def _look(self, haze: np.ndarray) -> Look:
        rng = self.rng
        exposure = float(np.clip(math.exp(rng.normal(0.0, 0.26)), 0.62, 1.6))
        warmth, green = rng.normal(0, 0.09), rng.normal(0, 0.04)
        tint = np.array([1 - warmth, 1 + green, 1 + warmth]) * exposure
        hood = None
        if rng.random() < 0.4:
            hood = (rng.uniform(0.03, 0.09), rng.uniform(10, 110),
                    rng.uniform(0.2, 0.6))
        level = rng.uniform(0.8, 1.5)
        return Look(
            tint=tint,
            saturation=rng.uniform(0.35, 1.15),
            gamma=math.exp(rng.normal(0, 0.16)),
            haze=haze * rng.uniform(0.75, 1.0),
            haze_range=math.exp(rng.uniform(math.log(90), math.log(900))),
            noise=(11 * level, 7 * level, 7 * level),
            flicker=rng.uniform(0.02, 0.12),
            drift=rng.normal(0, 0.006),
            blur=rng.uniform(0.002, 0.012),
            vignette=rng.uniform(0.0, 0.35),
            hood=hood)

    def _measure(self) -> None:
        """Widths of lanes, verges and pavements; the crossing."""
        rng = self.rng
        self.lane = rng.uniform(3.0, 3.6)
        self.right_lanes = int(rng.integers(0, 2))
        self.left_lanes = int(rng.integers(1, 3))
        self.track = self.spotlight == 'tram' or rng.random() < 0.08
        self.median = not self.track and rng.random() < 0.2
        gap = 3.2 if self.track else rng.uniform(1.2, 3) * self.median
        self.gap = (-self.lane / 2 - gap, -self.lane / 2)
        self.sides = []
        green = {'centre': 0.25, 'suburb': 0.5, 'outskirts': 0.6}
        for sign in (-1, 1):
            road = self.lane * (0.5 + self.right_lanes) if sign > 0 else (
                -self.gap[0] + self.lane * self.left_lanes)
            parking = bool(rng.random() < 0.45)
            kerb = road + (2.3 if parking else rng.uniform(0.2, 0.8))
            verge = 0.0
            if rng.random() < green[self.district]:
                verge = rng.uniform(0.8, 2.2)
            walk = kerb + verge + rng.uniform(2.0, 4.5)
            yard = 0.0
            if self.district != 'centre':
                yard = rng.uniform(1.0, 6.0)
            self.sides.append(
                Side(sign, kerb, kerb + verge, walk, walk + yard, parking))
        self.crossing = None
        if rng.random() < 0.5:
            start = rng.uniform(11, 42)
            self.crossing = (start, start + rng.uniform(6, 9))
        self.zebra = None
        if self.crossing is not None or rng.random() < 0.2:
            end = self.crossing[0] - 1.2 if self.crossing else rng.uniform(
                11, 32)
            self.zebra = (end - 3.0, end)

    def light(self, x: float, z: float) -> float:
        """Gain of a vertical face whose outward normal is (x, z)."""
        facing = max(0.0, x * self.sun[0] + z * self.sun[1])
        return 1.0 - 0.45 * self.sunny + 0.9 * self.sunny * facing

    def crossed(self, start: float, end: float) -> bool:
        """Whether something along the street would stand on the crossing."""
        return self.crossing is not None and (
            start < self.crossing[1] + 2 and end > self.crossing[0] - 2)

    def stretches(self, start: float,
                  end: float) -> list[tuple[float, float]]:
        """A stretch along the street without the crossing."""
        if self.crossing is None:
            return [(start, end)]
        return [(start, self.crossing[0]), (self.crossing[1], end)]
