"""People, two-wheelers and those who ride them."""
import math

import numpy as np

from .scene import Body, Label, Scene, Shadow, Swing
from .sketch import Sketch
from .textures import Colour, cloth, fill, grey, paint, skin

_DENSITY = 64
_RUBBER = np.full(3, 24, np.float32)


def _crumple(sheet: Sketch, rng: np.random.Generator) -> None:
    sheet.shade(fill(rng, 'leaf', *sheet.picture.shape[:2],
                     np.full(3, 128.0), 0.55))


def _limb(scene: Scene, rng: np.random.Generator, body: Body, swing: Swing,
          box: tuple[float, float, float, float], colour: Colour,
          end: Colour, depth: float) -> None:
    """An arm or a leg; its last tenth is a hand or a shoe."""
    left, right, bottom, top = box
    sheet = Sketch(left, right, bottom, top, _DENSITY, colour)
    wide, tall = right - left, top - bottom
    sheet.polygon([(left, top), (right, top),
                   (right - 0.2 * wide, bottom), (left + 0.2 * wide, bottom)],
                  colour)
    sheet.rect(left + 0.1 * wide, right, bottom, bottom + 0.1 * tall, end)
    _crumple(sheet, rng)
    number = scene.add_body(
        Body(body.position, body.velocity, body.yaw, body.yaw_rate, swing))
    scene.add(sheet.across(depth), sheet.texture(), Label.PERSON, number)


def person(scene: Scene, rng: np.random.Generator, body: Body,
           stride: float) -> None:
    """Somebody standing or walking.

    The sheet of the body faces along its z axis; the limbs swing in it.

    Args:
        scene (Scene): Where to add the person.
        rng (np.random.Generator): Source of randomness.
        body (Body): Position and motion; the yaw turns the sheet.
        stride (float): Amplitude of the limbs in radians; 0 stands still.
    """
    size = rng.uniform(0.92, 1.1) if rng.random() < 0.88 else 0.68
    coat, trousers, flesh = cloth(rng), cloth(rng), skin(rng)
    hair = grey(rng, 10, 130)
    shoe = grey(rng, 12, 120)
    bulk = rng.uniform(0.85, 1.15) * size
    hip, shoulder = 0.88 * size, 1.42 * size
    rate, phase = rng.uniform(0.42, 0.6), rng.uniform(0, 2 * math.pi)
    for side in (-1, 1):
        swing = Swing((side * 0.07 * bulk, hip), side * stride, rate, phase)
        middle = side * 0.1 * bulk
        _limb(scene, rng, body, swing,
              (middle - 0.085 * bulk, middle + 0.085 * bulk, 0, hip + 0.04),
              trousers, shoe, 0.03 * side)
        swing = Swing((side * 0.2 * bulk, shoulder), -side * stride * 0.8,
                      rate, phase)
        middle = side * 0.24 * bulk
        _limb(scene, rng, body, swing,
              (middle - 0.06 * bulk, middle + 0.06 * bulk, 0.76 * size,
               shoulder), coat * 0.85, flesh, 0.05 * side)
    hem = hip - rng.choice((0.06, 0.06, 0.35)) * size
    sheet = Sketch(-0.36, 0.36, hem, 1.78 * size, _DENSITY, coat)
    sheet.polygon([(-0.21 * bulk, hem), (-0.17 * bulk, hip + 0.15),
                   (-0.24 * bulk, shoulder), (-0.1 * bulk, shoulder + 0.07),
                   (0.1 * bulk, shoulder + 0.07), (0.24 * bulk, shoulder),
                   (0.17 * bulk, hip + 0.15), (0.21 * bulk, hem)], coat)
    _crumple(sheet, rng)
    head = 1.6 * size
    sheet.disc(0, head, 0.12, hair)
    if rng.random() < 0.6:
        sheet.disc(0, head - 0.02, 0.095, flesh)
    if rng.random() < 0.3:  # a rucksack or a bag
        x = rng.uniform(-0.12, 0.12)
        sheet.rect(x - 0.14, x + 0.14, hip + 0.1, shoulder - 0.05, cloth(rng))
    number = scene.add_body(body)
    scene.add(sheet.across(), sheet.texture(), Label.PERSON, number)
    scene.shadows.append(Shadow(number, 0.3, 0.2, 0.5))


def _cycle(rng: np.random.Generator) -> tuple[Sketch, Sketch]:
    """Side view and end view of a bicycle."""
    colour, metal = paint(rng), grey(rng, 60, 200)
    side = Sketch(-0.95, 0.95, 0, 1.1, _DENSITY, _RUBBER)
    for z in (-0.53, 0.53):
        side.disc(z, 0.34, 0.34, metal * 0.6, 85)
        side.ring(z, 0.34, 0.32, 0.05, _RUBBER)
    side.line([(-0.53, 0.34), (-0.05, 0.32), (0.35, 0.8), (-0.2, 0.78),
               (-0.53, 0.34)], 0.055, colour)
    side.line([(-0.05, 0.32), (-0.25, 0.92)], 0.05, colour)
    side.line([(0.53, 0.34), (0.35, 0.8), (0.3, 1.03), (0.42, 1.05)], 0.05,
              colour)
    side.line([(-0.38, 0.94), (-0.12, 0.94)], 0.08, _RUBBER)
    side.line([(-0.95, 0.6), (-0.35, 0.68)], 0.04, metal)
    end = Sketch(-0.32, 0.32, 0, 1.1, _DENSITY, _RUBBER)
    end.rect(-0.035, 0.035, 0, 0.68, _RUBBER)
    end.rect(-0.05, 0.05, 0.3, 1.0, colour)
    end.line([(-0.29, 1.04), (0.29, 1.04)], 0.05, metal)
    end.rect(-0.1, 0.1, 0.9, 0.98, _RUBBER)
    return side, end


def _motor(rng: np.random.Generator) -> tuple[Sketch, Sketch]:
    """Side view and end view of a motorcycle or a scooter."""
    colour, metal = paint(rng), grey(rng, 60, 200)
    side = Sketch(-1.08, 1.08, 0, 1.25, _DENSITY, _RUBBER)
    for z in (-0.7, 0.72):
        side.disc(z, 0.32, 0.32, _RUBBER)
        side.disc(z, 0.32, 0.18, metal * 0.8)
    side.polygon([(-0.45, 0.3), (-0.4, 0.6), (0.35, 0.65), (0.3, 0.25)],
                 metal * 0.55)
    side.polygon([(-1.0, 0.78), (-0.95, 0.9), (-0.2, 0.84), (0.1, 1.0),
                  (0.5, 0.95), (0.62, 0.7), (0.2, 0.55), (-0.5, 0.6)],
                 colour)
    side.polygon([(-0.9, 0.86), (-0.85, 0.95), (-0.15, 0.88), (-0.1, 0.8)],
                 _RUBBER)
    side.line([(0.72, 0.32), (0.45, 1.0), (0.25, 1.14)], 0.09, metal)
    side.polygon([(0.45, 0.95), (0.4, 1.22), (0.55, 0.95)],
                 grey(rng, 90, 190))
    side.line([(-0.9, 0.4), (-0.2, 0.35)], 0.1, metal)
    end = Sketch(-0.45, 0.45, 0, 1.25, _DENSITY, _RUBBER)
    end.rect(-0.09, 0.09, 0, 0.7, _RUBBER)
    end.polygon([(-0.2, 0.55), (-0.24, 0.9), (0.24, 0.9), (0.2, 0.55)],
                colour)
    end.rect(-0.12, 0.12, 0.72, 0.82, np.array([30, 30, 190]))
    end.rect(-0.1, 0.1, 0.5, 0.62, grey(rng, 150, 230))
    end.line([(-0.4, 1.12), (0.4, 1.12)], 0.06, metal)
    for x in (-0.38, 0.38):
        end.disc(x, 1.18, 0.06, _RUBBER)
    return side, end


def _rider_views(rng: np.random.Generator) -> tuple[Sketch, Sketch]:
    """Side view and end view of somebody riding."""
    coat, trousers, flesh = cloth(rng), cloth(rng), skin(rng)
    helmet = paint(rng) if rng.random() < 0.6 else grey(rng, 10, 110)
    side = Sketch(-0.5, 0.65, 0.2, 1.85, _DENSITY, coat)
    side.line([(-0.15, 0.95), (0.22, 0.72), (0.05, 0.3), (0.16, 0.26)], 0.15,
              trousers)
    side.polygon([(-0.3, 0.9), (-0.22, 1.25), (0.06, 1.52), (0.24, 1.48),
                  (0.1, 1.1), (0.02, 0.88)], coat)
    side.line([(0.14, 1.42), (0.3, 1.15), (0.44, 1.08)], 0.1, coat * 0.85)
    _crumple(side, rng)
    side.disc(0.25, 1.66, 0.11, flesh)
    side.disc(0.23, 1.71, 0.125, helmet)
    end = Sketch(-0.42, 0.42, 0.2, 1.85, _DENSITY, coat)
    for x in (-1, 1):
        end.line([(x * 0.12, 0.95), (x * 0.17, 0.6), (x * 0.12, 0.25)], 0.13,
                 trousers)
        end.line([(x * 0.22, 1.42), (x * 0.34, 1.2), (x * 0.28, 1.06)], 0.1,
                 coat * 0.85)
    end.polygon([(-0.19, 0.88), (-0.17, 1.1), (-0.25, 1.45), (-0.1, 1.55),
                 (0.1, 1.55), (0.25, 1.45), (0.17, 1.1), (0.19, 0.88)], coat)
    _crumple(end, rng)
    end.disc(0, 1.66, 0.11, flesh)
    end.disc(0, 1.7, 0.13, helmet)
    return side, end


def two_wheeler(scene: Scene, rng: np.random.Generator, body: Body,
                label: int, ridden: bool) -> None:
    """A bicycle or a motorcycle, parked or with its rider."""
    number = scene.add_body(body)
    side, end = _cycle(rng) if label == Label.BICYCLE else _motor(rng)
    see_through = label == Label.BICYCLE
    scene.add(side.along(), side.texture(see_through), label, number)
    for z in (-0.45, 0.45):
        scene.add(end.across(z), end.texture(), label, number)
    if ridden:
        side, end = _rider_views(rng)
        for x in (-0.06, 0.06):
            scene.add(side.along(x), side.texture(), Label.RIDER, number)
        for z in (-0.12, 0.12):
            scene.add(end.across(z), end.texture(), Label.RIDER, number)
    scene.shadows.append(Shadow(number, 0.25, 0.9, 0.5))
