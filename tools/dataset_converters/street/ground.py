"""The ground, painted from above in two resolutions."""
from collections.abc import Sequence

import cv2
import numpy as np

from .plan import STREET_START, Plan
from .scene import GroundMap, Label
from .textures import Colour, bgr, fill, grey, masonry, soil

NEAR_END = 46.0
"""Where the fine map ends, in metres along the street."""
FAR_END = 216.0
"""Where the ground ends."""
_START = -5.0

Surface = tuple[str, Colour]


class GroundPainter:
    """Paints a fine map of the street and a coarse one of all around it.

    Args:
        rng (np.random.Generator): Source of randomness.
        surface (tuple): Material and colour of what nobody paints over.
        label (int): Its class.
    """

    def __init__(self, rng: np.random.Generator, surface: Surface,
                 label: int) -> None:
        self.rng = rng
        self.maps = [
            _blank(-64.0, 64.0, FAR_END, (0.125, 0.3), label),
            _blank(-18.0, 18.0, NEAR_END, (0.03, 0.05), label),
        ]
        self._shadow: list[tuple[np.ndarray, float]] = []
        self.rect(-64, 64, _START, FAR_END, surface, label)

    def rect(self, x0: float, x1: float, z0: float, z1: float,
             surface: Surface, label: int) -> None:
        """Cover a rectangle with a material."""
        material, colour = surface
        for ground in self.maps:
            left, right = sorted(_columns(ground, (x0, x1)))
            top, bottom = sorted(_rows(ground, (z0, z1)))
            if left < right and top < bottom:
                ground.colour[top:bottom, left:right] = fill(
                    self.rng, material, bottom - top, right - left, colour)
                ground.label[top:bottom, left:right] = label

    def mark(self, points: Sequence[tuple[float, float]], colour: Colour,
             opacity: float = 1.0) -> None:
        """Paint a polygon (x, z) without changing its class."""
        for ground in self.maps:
            corners = _texels(ground, points)
            low = np.maximum(corners.min(0), 0)
            high = np.minimum(corners.max(0) + 1, ground.label.shape[::-1])
            if (low >= high).any():
                continue
            part = ground.colour[low[1]:high[1], low[0]:high[0]]
            over = part.copy()
            cv2.fillPoly(over, [corners - low], bgr(colour))
            cv2.addWeighted(over, opacity, part, 1 - opacity, 0, dst=part)

    def stripe(self, x: float, width: float, z0: float, z1: float,
               colour: Colour, opacity: float = 0.9) -> None:
        """A line along the street."""
        left, right = x - width / 2, x + width / 2
        self.mark([(left, z0), (left, z1), (right, z1), (right, z0)], colour,
                  opacity)

    def shade(self, points: Sequence[tuple[float, float]],
              gain: float) -> None:
        """Cast a shadow; shadows do not add up."""
        self._shadow.append((np.asarray(points), gain))

    def wear(self, x0: float, x1: float) -> None:
        """Patches, cracks, stains and manhole covers of a road."""
        rng = self.rng
        for _ in range(int(rng.integers(6, 22))):
            x, z = rng.uniform(x0, x1), rng.uniform(2, 70)
            kind = rng.integers(4)
            tone = grey(rng, 20, 150)
            if kind == 0:
                wide, deep = rng.uniform(0.4, 2.4), rng.uniform(0.6, 6)
                self.mark([(x, z), (x + wide, z), (x + wide, z + deep),
                           (x, z + deep)], tone, rng.uniform(0.25, 0.6))
            elif kind == 1:
                turns = np.linspace(0, 2 * np.pi, 12)
                radius = rng.uniform(0.3, 0.45)
                self.mark(list(zip(x + radius * np.cos(turns),
                                   z + radius * np.sin(turns))), tone, 0.75)
            elif kind == 2:
                self.stripe(x, rng.uniform(0.25, 0.7), z,
                            z + rng.uniform(8, 60), tone, 0.2)
            else:
                walk = np.cumsum(rng.normal(0, 0.25, (9, 2)) + (0.05, 0.3), 0)
                path = walk + (x, z)
                back = path[::-1] + (0.06, 0.02)
                self.mark(np.vstack([path, back]), tone * 0.5, 0.7)

    def finish(self) -> list[GroundMap]:
        """Apply the shadows and return the maps, the coarse one first."""
        for ground in self.maps if self._shadow else ():
            shadow = np.zeros(ground.label.shape, np.uint8)
            for points, value in self._shadow:
                cv2.fillPoly(shadow, [_texels(ground, points)],
                             int(255 * (1 - value)))
            shadow = cv2.blur(shadow, (5, 5))
            shadow = cv2.merge([shadow] * 3)
            shade = cv2.multiply(ground.colour, shadow, scale=1 / 255)
            cv2.subtract(ground.colour, shade, dst=ground.colour)
        return [ground._replace(
            colour=cv2.cvtColor(ground.colour, cv2.COLOR_BGR2BGRA))
                for ground in self.maps]


def _blank(left: float, right: float, end: float, cell: tuple[float, float],
           label: int) -> GroundMap:
    shape = (round((end - _START) / cell[1]), round((right - left) / cell[0]))
    return GroundMap(np.zeros((*shape, 3), np.uint8),
                     np.full(shape, int(label), np.uint8), left, _START, cell)


def _columns(ground: GroundMap, xs: Sequence[float]) -> np.ndarray:
    columns = np.round((np.asarray(xs) - ground.left) / ground.cell[0])
    return np.clip(columns, 0, ground.label.shape[1]).astype(int)


def _rows(ground: GroundMap, zs: Sequence[float]) -> np.ndarray:
    rows = ground.label.shape[0]
    values = rows - (np.asarray(zs) - ground.near) / ground.cell[1]
    return np.clip(np.round(values), 0, rows).astype(int)


def _texels(ground: GroundMap,
            points: Sequence[tuple[float, float]]) -> np.ndarray:
    points = np.asarray(points, np.float64)
    columns = (points[:, 0] - ground.left) / ground.cell[0]
    rows = (ground.label.shape[0]
            - (points[:, 1] - ground.near) / ground.cell[1])
    texels = np.round(np.stack([columns, rows], 1) - 0.5)
    return np.clip(texels, -4000, 8000).astype(np.int32)


def road_surface(rng: np.random.Generator) -> Surface:
    """Asphalt as a rule, otherwise concrete slabs or cobbles."""
    kind = rng.choice(3, p=(0.78, 0.12, 0.1))
    if kind == 2:
        return 'cobble', masonry(rng) * 0.75
    colour = grey(rng, 52, 150)
    return ('asphalt', 'concrete')[kind], colour


def pavement_surface(rng: np.random.Generator) -> Surface:
    """Slabs, asphalt, bricks or gravel."""
    material = ('paving', 'asphalt', 'concrete', 'brick', 'gravel', 'cobble')
    colour = grey(rng, 60, 190) if rng.random() < 0.6 else masonry(rng) * 0.85
    return str(rng.choice(material, p=(.36, .24, .14, .1, .06, .1))), colour


def pave(plan: Plan) -> GroundPainter:
    """Lay the road, what runs along it and the markings on it."""
    rng = plan.rng
    if plan.district == 'centre':
        ground = GroundPainter(rng, pavement_surface(rng), Label.SIDEWALK)
    else:
        ground = GroundPainter(rng, soil(rng), Label.TERRAIN)
    road, walk, lawn = road_surface(rng), pavement_surface(rng), soil(rng)
    left, right = -plan.sides[0].kerb, plan.sides[1].kerb
    strip = (STREET_START, FAR_END)
    for side in plan.sides:
        sign = side.sign
        if side.verge > side.kerb:
            ground.rect(sign * side.kerb, sign * side.verge, *strip, lawn,
                        Label.TERRAIN)
        ground.rect(sign * side.verge, sign * side.walk, *strip, walk,
                    Label.SIDEWALK)
        if plan.district == 'suburb' and rng.random() < 0.3:
            ground.rect(sign * side.walk, sign * side.line, *strip,
                        pavement_surface(rng), Label.SIDEWALK)
    if plan.crossing:
        start, end = plan.crossing
        for inner, outer in ((-64, left), (right, 64)):
            ground.rect(inner, outer, start - 2, end + 2, walk,
                        Label.SIDEWALK)
    ground.rect(left, right, *strip, road, Label.ROAD)
    if plan.crossing:
        ground.rect(-64, 64, start, end, road, Label.ROAD)
    ground.wear(left, right)
    if plan.median:
        for stretch in plan.stretches(*strip):
            ground.rect(*plan.gap, *stretch, lawn, Label.TERRAIN)
    if plan.track:
        _lay_rails(ground, plan)
    _mark_lanes(ground, plan)
    kerb = grey(rng, 70, 200)
    for side in plan.sides:
        for stretch in plan.stretches(*strip):
            ground.stripe(side.sign * (side.kerb + 0.08), 0.16, *stretch,
                          kerb, 0.8)
    return ground


def _lay_rails(ground: GroundPainter, plan: Plan) -> None:
    rng, (left, right) = plan.rng, plan.gap
    if rng.random() < 0.4:
        for stretch in plan.stretches(STREET_START, FAR_END):
            ground.rect(left + 0.2, right - 0.2, *stretch, soil(rng),
                        Label.TERRAIN)
    rail = grey(rng, 40, 190)
    for x in ((left + right) / 2 - 0.72, (left + right) / 2 + 0.72):
        ground.stripe(x, 0.2, STREET_START, FAR_END, rail * 0.5, 0.6)
        ground.stripe(x, 0.09, STREET_START, FAR_END, rail, 0.95)


def _mark_lanes(ground: GroundPainter, plan: Plan) -> None:
    rng = plan.rng
    stretches = plan.stretches(STREET_START, FAR_END)
    left, right = -plan.sides[0].kerb, plan.sides[1].kerb
    white = grey(rng, 150, 240)
    if rng.random() < 0.15:  # yellow
        white = np.array([60, 180, 210], np.float32)
    worn = rng.uniform(0.45, 0.95)
    dash, space = rng.uniform(1.5, 4), rng.uniform(2, 6)
    lines = [plan.lane * (0.5 + i) for i in range(plan.right_lanes)]
    lines += [plan.gap[0] - plan.lane * i for i in range(1, plan.left_lanes)]
    shift = rng.uniform(0, 5)
    for x in lines:
        for z in np.arange(STREET_START + shift, 150, dash + space):
            if not plan.crossed(z, z + dash):
                ground.stripe(x, 0.14, z, z + dash, white, worn)
    edges = []
    if rng.random() < 0.8:
        edges += plan.gap
    if rng.random() < 0.5:
        edges += [side.sign * (side.kerb - 2.25 * side.parking - 0.15)
                  for side in plan.sides]
    for x in edges:
        for stretch in stretches:
            ground.stripe(x, 0.14, *stretch, white, worn)
    if plan.zebra:
        z0, z1 = plan.zebra
        for x in np.arange(left + 0.5, right - 0.4, 1.0):
            ground.stripe(x, 0.5, z0, z1, white, worn)
        ground.stripe((plan.gap[1] + right) / 2, right - plan.gap[1],
                      z0 - 1.5, z0 - 1.1, white, worn)
    elif rng.random() < 0.3:  # an arrow
        z = rng.uniform(8, 25)
        ground.stripe(0, 0.16, z, z + 2.4, white, worn)
        ground.mark([(-0.45, z + 2.4), (0, z + 4), (0.45, z + 2.4)], white,
                    worn)
