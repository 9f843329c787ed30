"""Vehicles: a side view extruded over the width.

The outline of a side view runs from the rear bumper over the roof to the
front bumper. Each of its segments becomes a quad across the vehicle, the
side view itself the two flanks.
"""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .scene import Body, Label, Scene, Shadow, Texture, upright
from .sketch import Sketch
from .textures import Colour, fill, grey, hsv, paint

_RUBBER = np.full(3, 26, np.float32)
_GAINS = {'roof': 1.15, 'hood': 1.12, 'deck': 1.12, 'glass': 1.0,
          'shield': 1.0, 'rear': 0.88, 'front': 0.92}


class Hull(NamedTuple):
    """Points (z, y) of an outline and what its segments are."""

    points: tuple[tuple[float, float], ...]
    kinds: tuple[str, ...]
    half_width: float


def _glass(rng: np.random.Generator) -> Colour:
    return grey(rng, 22, 95) * np.array([1.15, 1.05, 0.95], np.float32)


def _extrude(scene: Scene, body: int, label: int, hull: Hull,
             skins: dict[str, Texture], flank: Sketch) -> None:
    half = hull.half_width
    for (z0, y0), (z1, y1), kind in zip(hull.points, hull.points[1:],
                                        hull.kinds):
        frame = np.array([[2 * half, 0.0, -half], [0.0, y0 - y1, y1],
                          [0.0, z0 - z1, z1]])
        scene.add(frame, skins[kind], label, body, _GAINS[kind],
                  one_sided=True)
    for x in (-half, half):
        scene.add(flank.along(x), flank.texture(), label, body, 0.95)


def _skin(rng: np.random.Generator, colour: Colour, half: float,
          height: float, kind: str) -> Texture:
    """One face of a vehicle: its 'rear', its 'front' or a 'glass'."""
    sheet = Sketch(-half, half, 0, height, 40, colour)
    rows, cols = sheet.picture.shape[:2]
    sheet.picture[..., :3] = fill(rng, 'metal', rows, cols, colour)
    sheet.picture[..., 3] = 255
    if kind == 'glass':
        glass, edge = _glass(rng), 0.1
        sheet.polygon([(-half + edge, edge / 2), (half - edge, edge / 2),
                       (half - 1.8 * edge, height - edge / 2),
                       (-half + 1.8 * edge, height - edge / 2)], glass)
        sheet.polygon([(-half * 0.5, edge / 2), (0, edge / 2),
                       (half * 0.6, height - edge / 2),
                       (half * 0.2, height - edge / 2)], glass * 1.5 + 15)
    else:
        lamp = (np.array([30, 30, 190], np.float32) if kind == 'rear' else
                np.array([215, 225, 225], np.float32))
        wide = half * rng.uniform(0.22, 0.4)
        base, top = height * 0.5, height * rng.uniform(0.7, 0.95)
        sheet.rect(-half, half, 0, height * 0.3, colour * 0.6)
        if kind == 'front':
            sheet.rect(-half * 0.6, half * 0.6, height * 0.3, height * 0.75,
                       grey(rng, 15, 90))
        for side in (-1, 1):
            sheet.rect(min(side * half, side * (half - wide)),
                       max(side * half, side * (half - wide)), base, top,
                       lamp * rng.uniform(0.7, 1.1))
        sheet.rect(-0.26, 0.26, height * 0.32, height * 0.32 + 0.12,
                   grey(rng, 150, 235))
    if kind == 'front':
        return _turned(sheet.texture())
    return sheet.texture()


def _turned(skin: Texture) -> Texture:
    """Upside down: the quads of the front half are traversed downwards."""
    return Texture(np.ascontiguousarray(skin.pixels[::-1, ::-1]))


def _plain(rng: np.random.Generator, colour: Colour) -> Texture:
    """A roof or a bonnet."""
    return Texture(fill(rng, 'metal', 24, 48, colour))


def _tyres(scene: Scene, body: int, label: int, half: float,
           ends: tuple[float, float], radius: float) -> None:
    sheet = Sketch(-half, half, 0, radius * 1.3, 30, _RUBBER)
    for side in (-1, 1):
        edges = sorted((side * half, side * (half - 0.22)))
        sheet.rect(*edges, 0, radius * 1.3, _RUBBER)
    sheet.rect(-half, half, radius * 0.7, radius * 1.3, _RUBBER)
    for z in ends:
        scene.add(sheet.across(z), sheet.texture(), label, body)


def _wheels(sheet: Sketch, rng: np.random.Generator, axles: Sequence[float],
            radius: float) -> None:
    hub = grey(rng, 60, 200)
    for z in axles:
        sheet.disc(z, radius, radius * 1.15, _RUBBER * 0.5)
        sheet.disc(z, radius, radius, _RUBBER)
        sheet.disc(z, radius, radius * 0.6, hub)


def car(scene: Scene, rng: np.random.Generator, body: Body) -> None:
    """A sedan, a hatchback, an off-road car or a van."""
    style = rng.choice(4, p=(0.35, 0.3, 0.2, 0.15))
    length = (4.5, 3.9, 4.6, 5.1)[style] * rng.uniform(0.94, 1.06)
    high = (1.45, 1.5, 1.72, 2.05)[style] * rng.uniform(0.96, 1.05)
    half = (0.88, 0.85, 0.94, 0.98)[style]
    end, sill = length / 2, 0.27
    belt = (0.64, 0.62, 0.6, 0.52)[style] * high
    boot = (0.75, 0.06, 0.05, 0.03)[style]
    slope = (0.65, 0.4, 0.2, 0.1)[style]
    bonnet = (1.2, 0.85, 1.05, 0.65)[style]
    shield = (0.8, 0.75, 0.65, 0.7)[style]
    points = ((-end, sill), (-end + 0.04, belt - 0.04),
              (-end + boot + 0.05, belt), (-end + boot + slope, high),
              (end - bonnet - shield, high), (end - bonnet, belt),
              (end - 0.06, belt - 0.22), (end, sill))
    kinds = ('rear', 'deck', 'glass', 'roof', 'shield', 'hood', 'front')
    number = scene.add_body(body)
    colour = paint(rng)
    skins = {
        'rear': _skin(rng, colour, half, belt - sill, 'rear'),
        'front': _skin(rng, colour, half, belt - sill, 'front'),
        'glass': _skin(rng, colour, half, high - belt, 'glass'),
        'roof': _plain(rng, colour),
    }
    skins['shield'] = _turned(skins['glass'])
    skins['hood'] = skins['deck'] = skins['roof']
    flank = Sketch(-end, end, 0, high, 44, colour * 0.3)
    flank.polygon(points, colour)
    flank.polygon([(-end, sill), (-end, sill + 0.14), (end, sill + 0.14),
                   (end, sill)], colour * 0.55)
    low, top = belt + 0.02, high - 0.09
    flank.polygon([(points[2][0] + 0.14, low), (points[3][0] + 0.08, top),
                   (points[4][0] - 0.05, top), (points[5][0] - 0.16, low)],
                  _glass(rng))
    pillar = (points[3][0] + points[4][0]) / 2
    for z in (pillar, pillar + 1.0, pillar - 0.95):
        flank.line([(z, sill + 0.15), (z, top)], 0.05, colour * 0.7)
    flank.rect(-end, -end + 0.22, belt - 0.3, belt - 0.12,
               np.array([30, 30, 170]))
    flank.rect(end - 0.3, end, belt - 0.4, belt - 0.26, grey(rng, 170, 230))
    _wheels(flank, rng, (-end + 0.19 * length, end - 0.18 * length), 0.31)
    _extrude(scene, number, Label.CAR, Hull(points, kinds, half), skins,
             flank)
    _tyres(scene, number, Label.CAR, half, (-end + 0.5, end - 0.5), 0.3)
    scene.shadows.append(Shadow(number, half + 0.12, end + 0.1, 0.7))


def _lettering(sheet: Sketch, rng: np.random.Generator,
               box: tuple[float, float, float, float]) -> None:
    """Stripes and blocks where a company would write its name."""
    left, right, bottom, top = box
    colour = paint(rng)
    for _ in range(rng.integers(0, 5)):
        x, y = rng.uniform(left, right), rng.uniform(bottom, top)
        sheet.rect(x, min(right, x + rng.uniform(0.4, 2.5)), y,
                   min(top, y + rng.uniform(0.15, 0.6)), colour)


def truck(scene: Scene, rng: np.random.Generator, body: Body) -> None:
    """A lorry with a box, a tarpaulin or an open bed."""
    length, half = rng.uniform(6.2, 9.5), 1.22
    end, cab_end = length / 2, length / 2 - 2.0
    high, sill = rng.uniform(2.9, 3.7), 0.95
    cab_high = min(high - 0.1, rng.uniform(2.3, 2.9))
    bed = rng.random() < 0.2
    number = scene.add_body(body)
    colour, load = paint(rng), paint(rng)
    box_high = 1.7 if bed else high
    points = ((-end, sill), (-end, box_high), (cab_end - 0.15, box_high),
              (cab_end - 0.15, sill))
    back = Sketch(-half, half, sill, box_high, 30, load)
    back.rect(*back.box, load)
    back.line([(0, sill), (0, box_high)], 0.07, load * 0.5)
    for x in (-half + 0.08, half - 0.08):
        back.line([(x, sill), (x, box_high)], 0.08, load * 0.65)
    back.rect(-half, half, sill, sill + 0.22, grey(rng, 25, 110))
    for side in (-0.95, 0.95):
        back.rect(side - 0.14, side + 0.14, sill, sill + 0.18,
                  np.array([30, 30, 190]))
    _lettering(back, rng, (-half + 0.2, half - 0.2, sill + 0.4, box_high))
    plain = _plain(rng, load)
    side = Sketch(-end, cab_end - 0.15, 0, box_high, 26, load * 0.3)
    side.rect(-end, cab_end - 0.15, sill, box_high, load)
    side.shade(fill(rng, 'metal', *side.picture.shape[:2],
                    np.full(3, 128.0)))
    _lettering(side, rng, (-end + 0.3, cab_end - 0.5, sill + 0.4, box_high))
    side.rect(-end, cab_end - 0.15, 0.55, sill, grey(rng, 20, 60))
    _wheels(side, rng, (-end + 1.2, -end + 2.3), 0.46)
    skins = {'rear': back.texture(), 'roof': plain, 'front': plain}
    _extrude(scene, number, Label.TRUCK,
             Hull(points, ('rear', 'roof', 'front'), half), skins, side)
    waist = 0.58 * cab_high
    points = ((cab_end, 0.5), (cab_end, cab_high), (end - 0.35, cab_high),
              (end - 0.05, waist), (end, 0.5))
    skins = {
        'rear': _plain(rng, colour),
        'roof': _plain(rng, colour),
        'shield': _turned(
            _skin(rng, colour, half, cab_high - waist, 'glass')),
        'front': _skin(rng, colour, half, waist - 0.5, 'front'),
    }
    side = Sketch(cab_end, end, 0, cab_high, 32, colour * 0.3)
    side.polygon(points, colour)
    side.polygon([(cab_end + 0.6, waist), (cab_end + 0.6, cab_high - 0.2),
                  (end - 0.45, cab_high - 0.2), (end - 0.2, waist)],
                 _glass(rng))
    _wheels(side, rng, (end - 0.9, ), 0.46)
    _extrude(scene, number, Label.TRUCK,
             Hull(points, ('rear', 'roof', 'shield', 'front'), half), skins,
             side)
    _tyres(scene, number, Label.TRUCK, half, (-end + 1.2, end - 0.9), 0.6)
    scene.shadows.append(Shadow(number, half + 0.15, end + 0.15, 0.75))


def _coach(scene: Scene, rng: np.random.Generator, number: int, label: int,
           colour: Colour, half: float, stretch: tuple[float, float],
           heights: tuple[float, float], slants: tuple[float, float],
           wheels: bool) -> None:
    """A long body with rows of windows, of a bus or of one tram car."""
    start, end = stretch
    sill, high = heights
    waist = sill + 0.36 * (high - sill)
    eaves = high - 0.32
    points = ((start, sill), (start + 0.2 * slants[0], waist),
              (start + slants[0], high), (end - slants[1], high),
              (end - 0.2 * slants[1], waist), (end, sill))
    band = paint(rng) if rng.random() < 0.5 else colour * 0.7
    side = Sketch(start, end, 0, high, 24, colour * 0.3)
    side.polygon(points, colour)
    side.rect(start, end, sill, sill + 0.5, band)
    glass = _glass(rng)
    bays = max(2, round((end - start) / rng.uniform(1.2, 1.9)))
    pitch = (end - start - 0.4) / bays
    door = int(rng.integers(2, 5))
    for bay in range(bays):
        left = start + 0.2 + bay * pitch
        low = sill + 0.25 if bay % door == 1 else waist
        side.rect(left + 0.06, left + pitch - 0.06, low, eaves,
                  glass * rng.uniform(0.8, 1.25))
    side.shade(fill(rng, 'metal', *side.picture.shape[:2],
                    np.full(3, 128.0)))
    if wheels:
        _wheels(side, rng, (start + 2.4, end - 2.5), 0.47)
    else:
        side.rect(start + 0.8, end - 0.8, 0.12, sill, _RUBBER * 2)
    skins = {
        'rear': _skin(rng, band, half, waist - sill, 'rear'),
        'glass': _skin(rng, colour, half, high - waist, 'glass'),
        'roof': _plain(rng, colour),
        'front': _skin(rng, band, half, waist - sill, 'front'),
    }
    skins['shield'] = _turned(skins['glass'])
    kinds = ('rear', 'glass', 'roof', 'shield', 'front')
    _extrude(scene, number, label, Hull(points, kinds, half), skins, side)


def bus(scene: Scene, rng: np.random.Generator, body: Body) -> None:
    """A city bus or a coach."""
    number = scene.add_body(body)
    half, end = 1.27, rng.uniform(5.0, 6.5)
    colour = paint(rng)
    _coach(scene, rng, number, Label.BUS, colour, half, (-end, end),
           (0.38, rng.uniform(2.9, 3.4)), (0.1, 0.3), wheels=True)
    _tyres(scene, number, Label.BUS, half, (-end + 2.4, end - 2.5), 0.5)
    scene.shadows.append(Shadow(number, half + 0.15, end + 0.15, 0.75))


def tram(scene: Scene, rng: np.random.Generator, body: Body) -> None:
    """A tram of two to four cars, with its current collector."""
    number = scene.add_body(body)
    cars, car_length = int(rng.integers(2, 5)), rng.uniform(6.5, 8.5)
    half, high = 1.22, rng.uniform(3.3, 3.7)
    colour = paint(rng)
    end = cars * car_length / 2
    for index in range(cars):
        start = -end + index * car_length
        slants = (0.9 if index == 0 else 0.02,
                  0.9 if index == cars - 1 else 0.02)
        _coach(scene, rng, number, Label.TRAIN, colour, half,
               (start + 0.12, start + car_length - 0.12), (0.35, high),
               slants, wheels=False)
    joint = Sketch(-half + 0.1, half - 0.1, 0.4, high - 0.1, 12, _RUBBER)
    joint.rect(*joint.box, _RUBBER * 1.6)
    for index in range(1, cars):
        scene.add(joint.across(-end + index * car_length), joint.texture(),
                  Label.TRAIN, number)
    arm = Sketch(-0.7, 0.7, high, high + 1.3, 30, _RUBBER)
    arm.line([(-0.5, high), (0.4, high + 0.6), (0, high + 1.25)], 0.08,
             _RUBBER * 2)
    arm.line([(-0.7, high + 1.22), (0.7, high + 1.22)], 0.08, _RUBBER * 2)
    scene.add(arm.across(-end + 2.0), arm.texture(), Label.TRAIN, number)
    box = Sketch(-0.8, 0.8, high, high + 0.4, 16, colour)
    box.rect(*box.box, hsv(0, 0, rng.uniform(90, 170)))
    scene.add(box.across(-end + 3.0), box.texture(), Label.TRAIN, number)
    scene.add(upright((half - 0.4, -end + 3), (half - 0.4, end - 3), high,
                      high + 0.35), box.texture(), Label.TRAIN, number)
    scene.shadows.append(Shadow(number, half + 0.15, end, 0.75))
