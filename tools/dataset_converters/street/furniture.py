"""What stands along a street: trees, poles, lights, signs, bins."""
import math

import numpy as np

from .scene import Label, Scene, Texture, upright
from .sketch import Sketch
from .textures import Colour, crown, fill, foliage, grey, hsv, paint

_DARK = np.full(3, 22, np.float32)


def tree(scene: Scene, rng: np.random.Generator, x: float, z: float,
         height: float, gain: float) -> None:
    """A trunk and a few crossed sheets of foliage."""
    kind = ('broad', 'conifer', 'bare')[rng.choice(3, p=(0.78, 0.1, 0.12))]
    bark = hsv(rng.uniform(5, 25), rng.uniform(10, 90), rng.uniform(35, 120))
    colour = bark if kind == 'bare' else foliage(rng)
    bole = height * (rng.uniform(0.22, 0.42) if kind == 'broad' else 0.12)
    wide = rng.uniform(0.1, 0.24) * (0.5 + height / 14)
    texture = Texture(fill(rng, 'leaf', 64, 16, bark, 0.8))
    scene.add(upright((x - wide, z), (x + wide, z), 0, bole * 1.35), texture,
              Label.VEGETATION, gain=gain)
    spread = (height - bole) * rng.uniform(0.42, 0.66)
    if kind == 'conifer':
        spread *= 0.6
    texture = crown(rng, kind, colour)
    flip = rng.choice((-1, 1))
    for offset in (0.5, -0.5) if kind == 'broad' else (0.0, ):
        flip = -flip
        turn = rng.uniform(-0.3, 0.3)
        shift = rng.uniform(-0.2, 0.2) * spread
        dx, dz = spread * math.cos(turn), spread * math.sin(turn)
        deep = z + offset * spread * 0.7
        scene.add(
            upright((x + shift - flip * dx, deep - dz),
                    (x + shift + flip * dx, deep + dz),
                    bole * rng.uniform(0.75, 1.0),
                    height * rng.uniform(0.92, 1.0)),
            texture, Label.VEGETATION, gain=gain * rng.uniform(0.85, 1.1))


def bush(scene: Scene, rng: np.random.Generator, x: float, z: float,
         width: float, height: float, gain: float) -> None:
    """One sheet of foliage down to the ground."""
    scene.add(upright((x - width / 2, z), (x + width / 2, z),
                      -0.2 * height, height),
              crown(rng, 'broad', foliage(rng)), Label.VEGETATION, gain=gain)


def _tube(colour: Colour) -> Texture:
    """A cylinder, light on one side."""
    ramp = np.array([0.75, 1.05, 1.15, 1.0, 0.8, 0.6])[None, :, None]
    strip = np.repeat(np.clip(colour * ramp, 0, 255), 8, 0)
    return Texture(strip.astype(np.uint8))


def pole_colour(rng: np.random.Generator) -> Colour:
    """Galvanised, painted green or black, or rusty."""
    if rng.random() < 0.7:
        return grey(rng, 35, 190)
    return hsv(rng.uniform(5, 75), rng.uniform(30, 130), rng.uniform(40, 130))


def pole(scene: Scene, x: float, z: float, height: float, width: float,
         colour: Colour) -> None:
    """A post, seen alike from everywhere."""
    scene.add(upright((x - width / 2, z), (x + width / 2, z), 0, height),
              _tube(colour), Label.POLE)


def _beam(scene: Scene, x0: float, x1: float, z: float, height: float,
          width: float, colour: Colour) -> None:
    strip = Texture(np.rot90(_tube(colour).pixels).copy())
    scene.add(upright((min(x0, x1), z), (max(x0, x1), z), height,
                      height + width), strip, Label.POLE)


def street_lamp(scene: Scene, rng: np.random.Generator, x: float, z: float,
                colour: Colour, height: float, towards: float) -> None:
    """A lamp post, its arm towards the road."""
    pole(scene, x, z, height, 0.17, colour)
    if rng.random() < 0.75:
        reach = x + towards * rng.uniform(1.0, 2.2)
        _beam(scene, x, reach, z, height - 0.1, 0.1, colour)
        lamp = Texture(np.full((4, 8, 4), 200, np.uint8))
        scene.add(upright((reach - 0.35, z), (reach + 0.35, z),
                          height - 0.18, height + 0.02), lamp, Label.POLE)
    else:
        sheet = Sketch(-0.3, 0.3, 0, 0.6, 40, colour)
        sheet.disc(0, 0.3, 0.27, grey(rng, 150, 245))
        scene.add(sheet.across() + np.array([[0, 0, x], [0, 0, height],
                                             [0, 0, z]]), sheet.texture(),
                  Label.POLE)


def _head(rng: np.random.Generator, state: int, facing: bool) -> Sketch:
    """Three lamps in a housing; ``facing`` is away for the other way."""
    housing = _DARK if rng.random() < 0.6 else grey(rng, 20, 140)
    sheet = Sketch(-0.2, 0.2, 0, 1.0, 64, housing)
    sheet.rect(-0.2, 0.2, 0, 1.0, housing)
    if facing:
        for lamp, hue in enumerate((68, 25, 2)):
            lit = lamp == state
            colour = hsv(hue, 230 if lit else 120, 255 if lit else 48)
            sheet.disc(0, 0.18 + 0.32 * lamp, 0.13, colour)
    return sheet


def traffic_light(scene: Scene, rng: np.random.Generator, x: float, z: float,
                  towards: float, state: int, facing: bool,
                  mast: bool) -> None:
    """A signal on a post, with a second one over the road on a mast arm."""
    colour = pole_colour(rng)
    height = rng.uniform(5.2, 6.0) if mast else rng.uniform(3.2, 3.6)
    pole(scene, x, z, height, 0.15, colour)
    spots = [(x + towards * 0.05, rng.uniform(2.2, 2.6))]
    if mast:
        reach = x + towards * rng.uniform(3.0, 5.5)
        _beam(scene, x, reach, z, height - 0.25, 0.13, colour)
        spots.append((reach, height - 0.9))
    for middle, low in spots:
        sheet = _head(rng, state, facing)
        scene.add(sheet.across(z - 0.1) + np.array([[0, 0, middle],
                                                    [0, 0, low],
                                                    [0, 0, 0]]),
                  sheet.texture(), Label.TRAFFIC_LIGHT)


def _plate(rng: np.random.Generator) -> Sketch:
    """The face of a sign, or its grey back."""
    kind = rng.integers(8)
    red, white = hsv(2, 205, rng.uniform(130, 215)), grey(rng, 185, 245)
    blue = hsv(rng.uniform(104, 116), 190, rng.uniform(90, 190))
    half = rng.uniform(0.3, 0.42)
    if kind == 6:  # a street's name or a direction
        wide, high = rng.uniform(0.5, 1.5), rng.uniform(0.12, 0.6)
        back = (blue, white, hsv(62, 150, 110), hsv(24, 200, 215))
        back = back[rng.integers(4)]
        sheet = Sketch(-wide, wide, -high, high, 40, back)
        sheet.rect(-wide, wide, -high, high, back)
        ink = white if back.sum() < 450 else _DARK
        for row in range(max(1, int(high / 0.2))):
            y = high * 0.6 - row * 0.35
            sheet.rect(-wide * 0.8, wide * rng.uniform(-0.1, 0.8), y - 0.08,
                       y + 0.06, ink)
        return sheet
    sheet = Sketch(-half, half, -half, half, 64, white)
    if kind == 0:
        sheet.disc(0, 0, half, red)
        sheet.disc(0, 0, half * 0.72, white)
        sheet.rect(-half * 0.35, half * 0.35, -half * 0.3, half * 0.3,
                   _DARK)
        sheet.rect(-half * 0.1, half * 0.1, -half * 0.3, half * 0.3, white)
    elif kind == 1:
        sheet.disc(0, 0, half, blue)
        sheet.line([(0, -half * 0.6), (0, half * 0.6)], half * 0.3, white)
    elif kind == 2:
        sheet.polygon([(-half, -half * 0.8), (half, -half * 0.8),
                       (0, half)], red)
        sheet.polygon([(-half * 0.6, -half * 0.55), (half * 0.6, -half * 0.55),
                       (0, half * 0.5)], white)
    elif kind == 3:
        turns = np.arange(8) * math.pi / 4 + math.pi / 8
        points = list(zip(half * np.cos(turns), half * np.sin(turns)))
        sheet.polygon(points, red)
        sheet.rect(-half * 0.6, half * 0.6, -half * 0.2, half * 0.2, white)
    elif kind == 4:
        points = [(-half, 0), (0, half), (half, 0), (0, -half)]
        sheet.polygon(points, white)
        sheet.polygon([(x * 0.75, y * 0.75) for x, y in points],
                      hsv(24, 215, 215))
    elif kind == 5:
        sheet.rect(-half * 0.9, half * 0.9, -half, half, blue)
        sheet.rect(-half * 0.3, half * 0.3, -half * 0.5, half * 0.5, white)
    else:
        sheet.disc(0, 0, half, grey(rng, 70, 170))
    return sheet


def sign_post(scene: Scene, rng: np.random.Generator, x: float,
              z: float) -> None:
    """One or two signs on a thin post."""
    top = rng.uniform(2.2, 3.2)
    pole(scene, x, z, top, 0.09, pole_colour(rng))
    for _ in range(rng.integers(1, 3)):
        sheet = _plate(rng)
        half = sheet.box[3]
        scene.add(sheet.across(z - 0.06) + np.array([[0, 0, x],
                                                     [0, 0, top - half],
                                                     [0, 0, 0]]),
                  sheet.texture(), Label.TRAFFIC_SIGN)
        top -= 2 * half + 0.04


def gantry(scene: Scene, rng: np.random.Generator, x: float, z: float,
           towards: float) -> None:
    """A big direction board on an arm over the road."""
    colour = pole_colour(rng)
    height = rng.uniform(6.2, 7.0)
    pole(scene, x, z, height, 0.26, colour)
    _beam(scene, x, x + towards * 6.0, z, height - 0.4, 0.2, colour)
    wide, high = rng.uniform(1.3, 2.0), rng.uniform(0.7, 1.0)
    back = (hsv(108, 190, 140), hsv(65, 160, 100),
            hsv(24, 200, 210))[rng.integers(3)]
    sheet = Sketch(-wide, wide, -high, high, 40, back)
    sheet.rect(-wide, wide, -high, high, grey(rng, 190, 240))
    sheet.rect(-wide + 0.08, wide - 0.08, -high + 0.08, high - 0.08, back)
    for y in (0.3, -0.25):
        sheet.rect(-wide * 0.75, wide * rng.uniform(0, 0.7), y - 0.14,
                   y + 0.12, grey(rng, 200, 245))
    scene.add(sheet.across(z - 0.15) + np.array(
        [[0, 0, x + towards * rng.uniform(3.0, 4.5)],
         [0, 0, height - 0.5], [0, 0, 0]]), sheet.texture(),
              Label.TRAFFIC_SIGN)


def clutter(scene: Scene, rng: np.random.Generator, x: float,
            z: float) -> None:
    """A bin or a cabinet: no class of the 19, so void."""
    wide, high = rng.uniform(0.4, 0.9), rng.uniform(0.7, 1.3)
    texture = Texture(fill(rng, 'metal', 32, 32, paint(rng)))
    scene.add(upright((x - wide / 2, z), (x + wide / 2, z), 0, high), texture,
              Label.VOID)
