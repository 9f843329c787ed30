"""Draws a street at random: the ground and what lines it."""
import math

import numpy as np

from .furniture import bush, tree
from .ground import FAR_END, pave
from .life import populate
from .plan import STREET_START, Plan, Side
from .scene import Label, Scene, Texture, upright
from .sketch import Sketch
from .textures import (
    barrier,
    facade,
    fill,
    foliage,
    grey,
    hedge,
    masonry,
    soil,
)

_END = 200.0  # where the last lot begins at the latest


def build_scene(rng: np.random.Generator, spotlight: str) -> Scene:
    """Draw a scene.

    Args:
        rng (np.random.Generator): Source of randomness.
        spotlight (str): Which rare thing must be there, of SPOTLIGHTS.
    """
    plan = Plan(rng, spotlight)
    _Layout(plan).build()
    populate(plan)
    return plan.scene


class _Layout:
    """Fills the scene of a plan with all that stands still."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = plan.rng
        self.scene = plan.scene
        self.ground = pave(plan)

    def build(self) -> None:
        if self.plan.median:
            self._median()
        for side in self.plan.sides:
            self._lots(side)
        self._backdrop()
        self.scene.grounds = self.ground.finish()

    def _median(self) -> None:
        """What stands on the median strip."""
        rng, plan = self.rng, self.plan
        middle = (plan.gap[0] + plan.gap[1]) / 2
        if rng.random() < 0.5:
            self._barrier(middle, rng.uniform(0.7, 1.2), 3.0, 90.0,
                          bool(rng.random() < 0.35))
        elif plan.gap[1] - plan.gap[0] > 1.6:
            for z in np.arange(rng.uniform(6, 14), 120, rng.uniform(9, 16)):
                if not plan.crossed(z - 1, z + 1):
                    tree(self.scene, rng, middle, z, rng.uniform(4, 7), 1.0)

    def _barrier(self, x: float, height: float, start: float, end: float,
                 wall: bool) -> None:
        """A wall or a fence along the street."""
        rng = self.rng
        gain = self.plan.light(-math.copysign(1, x), 0)
        if wall:
            material = str(rng.choice(('brick', 'concrete', 'plaster',
                                       'stone')))
            colour = masonry(rng)
        else:
            texture = barrier(rng, 8.0, height)
        for z in np.arange(start, end, 8.0):
            stop = min(z + 8.0, end)
            if self.plan.crossed(z, stop) or stop - z < 1.0:
                continue
            if wall:
                texture = self._masonry_wall(material, colour, stop - z,
                                             height)
            self.scene.add(upright((x, z), (x, stop), 0, height), texture,
                           Label.WALL if wall else Label.FENCE, gain=gain)

    def _masonry_wall(self, material: str, colour: np.ndarray, length: float,
                      height: float) -> Texture:
        rng, density = self.rng, 22
        rows, cols = int(height * density), int(length * density)
        picture = fill(rng, material, rows, cols, colour)
        picture[:max(1, rows // 14)] = np.clip(colour * 0.7, 0, 255)
        if rng.random() < 0.5:
            picture[:, ::max(8, 3 * density)] = np.clip(colour * 0.6, 0, 255)
        if rng.random() < 0.3:  # a poster or a window-like recess
            x = int(rng.uniform(0, cols * 0.8))
            picture[rows // 4:rows * 3 // 4, x:x + 2 * density] = grey(
                rng, 20, 230)
        return Texture(picture)

    def _lots(self, side: Side) -> None:
        rng = self.rng
        chances = {
            'centre': (0.9, 0.03, 0.02, 0.02, 0.03),
            'suburb': (0.52, 0.13, 0.15, 0.13, 0.07),
            'outskirts': (0.2, 0.2, 0.18, 0.18, 0.24),
        }[self.plan.district]
        kinds = ('building', 'wall', 'fence', 'hedge', 'park')
        z, before = STREET_START, 0.0
        style = rng.uniform(8, 22)
        forced = self.plan.spotlight == 'barrier'
        while z < _END:
            length = rng.uniform(8, 20) * (1 if z < 45 else 2 if z < 90 else 4)
            if self.plan.crossing and z < self.plan.crossing[1] + 2:
                gap = (self.plan.crossing[0] - 2, self.plan.crossing[1] + 2)
                if z >= gap[0] - 3:
                    z, before = gap[1], 0.0
                    continue
                length = min(length, gap[0] - z)
            kind = str(rng.choice(kinds, p=chances))
            if forced and z > 4:
                kind, forced = ('fence', 'wall')[side.sign > 0], False
            end = z + length
            if kind == 'building':
                height = float(np.clip(style + rng.normal(0, 3), 4, 30))
                if self.plan.district != 'centre':
                    height = rng.uniform(4, 12)
                self._building(side, z, end, side.line, height, before)
                before = height
            else:
                before = 0.0
                self._open_lot(side, z, end, kind)
            z = end + (rng.uniform(1, 5) if kind == 'building'
                       and self.plan.district != 'centre' else 0.0)

    def _building(self, side: Side, start: float, end: float, line: float,
                  height: float, before: float) -> None:
        rng, x = self.rng, side.sign * line
        density = 20 if start < 35 else 11 if start < 80 else 5
        material = str(rng.choice(('plaster', 'brick', 'concrete', 'stone',
                                   'wood'), p=(0.45, 0.25, 0.15, 0.1, .05)))
        colour = masonry(rng)
        bare = bool(rng.random() < 0.08)
        near, far = ((x, start), (x, end))
        left, right = (near, far) if side.sign < 0 else (far, near)
        gain = self.plan.light(-side.sign, 0)
        self.scene.add(
            upright(left, right, 0, height),
            facade(rng, end - start, height, density, material, colour,
                   bare), Label.BUILDING, gain=gain)
        depth = rng.uniform(9, 16)
        if height > before + 0.5:
            corner = before == 0.0 and rng.random() < 0.75
            front = sorted((x, x + side.sign * depth))
            self.scene.add(
                upright((front[0], start), (front[1], start), 0, height),
                facade(rng, depth, height, density, material,
                       colour, not corner), Label.BUILDING,
                gain=self.plan.light(0, -1))
        if height < 11 and rng.random() < 0.75:
            self._roof(side, start, end, x, height, depth, colour)
        if self.plan.sunny > 0.2:
            reach = -self.plan.sun[0] * side.sign
            if reach < -0.15:
                cast = -side.sign * min(1.6 * height * -reach, 40)
                slant = -self.plan.sun[1] * height * 0.8
                self.ground.shade(
                    [(x, start), (x, end), (x + cast, end + slant),
                     (x + cast, start + slant)], 1 - 0.75 * self.plan.sunny)

    def _roof(self, side: Side, start: float, end: float, x: float,
              height: float, depth: float, colour: np.ndarray) -> None:
        """A pitched roof and the gable under it."""
        rng = self.rng
        rise, half = rng.uniform(1.5, 3.5), side.sign * depth / 2
        eave = side.sign * 0.3
        tiles = masonry(rng) * 0.7
        texture = Texture(fill(rng, 'brick', 64, 192, tiles))
        frame = np.array([[0, -half - eave, x + half],
                          [0, -rise - 0.1, height + rise],
                          [end - start, 0, start]])
        self.scene.add(frame, texture, Label.BUILDING,
                       gain=self.plan.light(-side.sign * 0.7, 0) * 1.05)
        span = abs(half)
        gable = Sketch(-span, span, 0, rise, 12, colour)
        gable.polygon([(-span, 0), (0, rise), (span, 0)], colour)
        self.scene.add(
            gable.across(start) + np.array(
                [[0, 0, x + half], [0, 0, height], [0, 0, 0]]),
            gable.texture(), Label.BUILDING, gain=self.plan.light(0, -1))

    def _open_lot(self, side: Side, start: float, end: float,
                  kind: str) -> None:
        """A barrier or a hedge along the pavement, green behind it."""
        rng, sign = self.rng, side.sign
        edge = sign * (side.walk + 0.15)
        if kind in ('wall', 'fence'):
            tall = rng.uniform(0.8, 1.7)
            if kind == 'wall':
                tall = rng.uniform(0.9, 3.4)
            self._barrier(edge, tall, start, end, kind == 'wall')
        elif kind == 'hedge':
            colour, tall = foliage(rng), rng.uniform(0.9, 3.0)
            self.scene.add(upright((edge, start), (edge, end), 0, tall),
                           hedge(rng, end - start, tall, colour),
                           Label.VEGETATION, gain=self.plan.light(-sign, 0))
            self.scene.add(upright(*sorted(((edge, start),
                                            (edge + sign * 1.2, start))),
                                   0, tall), hedge(rng, 1.2, tall, colour),
                           Label.VEGETATION, gain=self.plan.light(0, -1))
        elif rng.random() < 0.5:  # a grassy bank
            rise, run = rng.uniform(0.6, 2.2), sign * rng.uniform(3, 7)
            material, colour = soil(rng)
            frame = np.array([[0, -run, edge + run], [0, -rise, rise],
                              [end - start, 0, start]])
            self.scene.add(frame, Texture(fill(rng, material, 128, 256,
                                               colour)), Label.TERRAIN)
        if rng.random() < 0.5 and kind != 'park':
            back = side.line + rng.uniform(4, 9)
            self._building(side, start + 0.5, end - 0.5, back,
                           rng.uniform(4, 9), 0.0)
        for _ in range(rng.integers(1, 4)):
            x = sign * (side.walk + rng.uniform(1.5, 9))
            z = rng.uniform(start, end)
            if rng.random() < 0.6:
                tree(self.scene, rng, x, z, rng.uniform(4, 11),
                     self.plan.light(-sign, 0))
            else:
                bush(self.scene, rng, x, z, rng.uniform(1, 3.5),
                     rng.uniform(0.8, 2.4), self.plan.light(-sign, 0))

    def _backdrop(self) -> None:
        """What closes the view between and behind the lots."""
        rng, plan = self.rng, self.plan
        green = {'centre': 0.3, 'suburb': 0.7, 'outskirts': 0.85}
        pool = []
        for _ in range(8):
            if rng.random() < green[plan.district]:
                texture = hedge(rng, 8.0, 3.0, foliage(rng))
                pool.append((texture, Label.VEGETATION))
            else:
                texture = facade(rng, 24.0, 9.0, 4, 'plaster', masonry(rng))
                pool.append((texture, Label.BUILDING))
        spans = []
        for side in plan.sides:
            x = side.sign * (side.line + rng.uniform(16, 26))
            for start, end in plan.stretches(STREET_START, FAR_END):
                for z in np.arange(start, end, 24.0):
                    spans.append(((x, z), (x, min(z + 24.0, end))))
            if plan.crossing:
                start, end = plan.crossing
                x = side.sign * 63
                spans.append(((x, start - 14), (x, end + 14)))
        for x in np.arange(-180.0, 180.0, 20.0):
            spans.append(((x, FAR_END - 1), (x + 20.0, FAR_END - 1)))
        for near, far in spans:
            texture, label = pool[rng.integers(len(pool))]
            self.scene.add(upright(near, far, 0, rng.uniform(5, 15)),
                           texture, label, gain=rng.uniform(0.75, 1.05))
