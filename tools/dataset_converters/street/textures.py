"""Materials, colours and flat pictures of which a street is built.

The same materials and the same colours serve several classes on purpose: a
wall is built of what buildings are built of, a lawn has the greens of the
trees, a car may be as grey as the road. Only shape and place tell them apart.
"""
from __future__ import annotations

import colorsys
import functools

import cv2
import numpy as np

from .scene import Texture

Colour = np.ndarray

_TILE = 256
_BANK_SEED = 20161


def _noise(rng: np.random.Generator, falloff: float) -> np.ndarray:
    """Tileable noise of zero mean and unit deviation."""
    shape = (_TILE, _TILE // 2 + 1)
    frequency = np.hypot(
        np.fft.fftfreq(_TILE)[:, None], np.fft.rfftfreq(_TILE)[None])
    frequency[0, 0] = np.inf
    spectrum = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    noise = np.fft.irfft2(spectrum / frequency**falloff, (_TILE, _TILE))
    return (noise / noise.std()).astype(np.float32)


def _blocks(rng: np.random.Generator, row: int, col: int,
            spread: float) -> np.ndarray:
    """Bricks or slabs with dark joints, every other row shifted."""
    ys, xs = np.mgrid[:_TILE, :_TILE]
    rows = ys // row
    xs = (xs + (rows % 2) * (col // 2)) % _TILE
    shade = rng.normal(0, spread, (_TILE // row, _TILE // col))
    tile = shade[rows, xs // col]
    tile[(ys % row == 0) | (xs % col == 0)] -= 0.35
    return tile.astype(np.float32)


@functools.cache
def _materials() -> dict[str, np.ndarray]:
    """Tiles of relative brightness; 128 is the colour itself."""
    rng = np.random.default_rng(_BANK_SEED)
    fine, rough, cloudy = (_noise(rng, f) for f in (0.2, 0.8, 1.5))
    grain, clumps = _noise(rng, 0.5), _noise(rng, 1.0)
    columns = np.tile(rng.normal(0, 1, (1, _TILE // 8)).repeat(8, 1),
                      (_TILE, 1)).astype(np.float32)
    planks = columns * 0.1
    planks[:, ::8] -= 0.4
    tiles = {
        'plaster': 0.03 * fine + 0.07 * cloudy,
        'asphalt': 0.09 * fine + 0.07 * rough + 0.06 * cloudy,
        'concrete': 0.05 * grain + 0.1 * cloudy + _blocks(rng, 64, 128, .05),
        'brick': 0.05 * fine + 0.08 * cloudy + _blocks(rng, 4, 16, .13),
        'stone': 0.06 * grain + 0.05 * cloudy + _blocks(rng, 16, 32, .12),
        'paving': 0.05 * fine + 0.07 * cloudy + _blocks(rng, 16, 16, .07),
        'cobble': 0.06 * fine + 0.06 * cloudy + _blocks(rng, 8, 8, .13),
        'grass': 0.13 * grain + 0.13 * clumps + 0.1 * cloudy,
        'gravel': 0.16 * fine + 0.08 * rough + 0.05 * cloudy,
        'leaf': 0.2 * grain + 0.22 * clumps,
        'metal': 0.02 * fine + 0.08 * cloudy + 0.03 * columns,
        'wood': 0.04 * grain + 0.05 * cloudy + planks,
        'cloud': 0.5 * cloudy,
    }
    return {
        name: np.clip(128 * (1 + tile), 0, 255).astype(np.uint8)
        for name, tile in tiles.items()
    }


def fill(rng: np.random.Generator,
         material: str,
         height: int,
         width: int,
         colour: Colour,
         contrast: float = 1.0) -> np.ndarray:
    """A BGR picture of a material in a colour, cut at a random place."""
    row, col = rng.integers(0, _TILE, 2)
    tile = _materials()[material]
    tile = tile.take(np.arange(row, row + height) % _TILE, 0)
    tile = tile.take(np.arange(col, col + width) % _TILE, 1)
    return recolour(tile, colour, contrast)


def recolour(shade: np.ndarray,
             colour: Colour,
             contrast: float = 1.0) -> np.ndarray:
    """Turn relative brightness (128 = as is) into a BGR picture."""
    gain = 1 + contrast * (np.arange(256, dtype=np.float32) - 128) / 128
    table = np.clip(gain[:, None] * colour, 0, 255).astype(np.uint8)
    return cv2.LUT(cv2.merge([shade] * 3), table.reshape(256, 1, 3))


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A BGR colour; hue in 0..180, the others in 0..255."""
    red, green, blue = colorsys.hsv_to_rgb(hue / 180, saturation / 255, value)
    return np.array([blue, green, red], np.float32)


_MASONRY = np.array(
    [[218, 225, 230], [165, 190, 212], [140, 178, 205], [155, 155, 155],
     [105, 105, 108], [72, 88, 150], [80, 98, 125], [150, 205, 222],
     [200, 188, 168], [165, 195, 178], [172, 178, 208], [112, 102, 92],
     [128, 138, 142], [95, 125, 160]], np.float32)


def masonry(rng: np.random.Generator) -> Colour:
    """Colour of a facade or a wall, also of some pavements."""
    colour = _MASONRY[rng.integers(len(_MASONRY))]
    return colour * np.float32(rng.uniform(0.65, 1.12)) + np.float32(
        9) * rng.standard_normal(3, np.float32)


def grey(rng: np.random.Generator, low: float, high: float) -> Colour:
    """A nearly neutral grey."""
    return np.float32(rng.uniform(low, high)) * (
        1 + np.float32(0.05) * rng.standard_normal(3, np.float32))


def foliage(rng: np.random.Generator) -> Colour:
    """Leaves and lawns: from yellow green to dark green, some in autumn."""
    if rng.random() < 0.13:
        return hsv(rng.uniform(6, 24), rng.uniform(70, 170),
                   rng.uniform(70, 150))
    return hsv(rng.uniform(24, 62), rng.uniform(40, 160),
               rng.uniform(45, 150))


def soil(rng: np.random.Generator) -> tuple[str, Colour]:
    """Material and colour of unpaved ground: lawn, dry grass or earth."""
    if rng.random() < 0.6:
        return 'grass', foliage(rng) * rng.uniform(1.0, 1.25)
    material = ('gravel', 'grass')[rng.integers(2)]
    return material, hsv(rng.uniform(8, 26), rng.uniform(30, 110),
                         rng.uniform(80, 175))


def paint(rng: np.random.Generator) -> Colour:
    """Colour of a vehicle: mostly greys, otherwise any hue."""
    if rng.random() < 0.55:
        return grey(rng, 18, 235)
    return hsv(rng.uniform(0, 180), rng.uniform(60, 210),
               rng.uniform(50, 215))


def cloth(rng: np.random.Generator) -> Colour:
    """Colour of clothes: often dark, otherwise any."""
    if rng.random() < 0.5:
        return grey(rng, 15, 90) * np.array([1.12, 1.0, 0.95], np.float32)
    return hsv(rng.uniform(0, 180), rng.uniform(15, 190),
               rng.uniform(40, 225))


def skin(rng: np.random.Generator) -> Colour:
    """Colour of faces and hands."""
    return np.array([120, 150, 200], np.float32) * rng.uniform(0.35, 1.1)


def bgr(colour: Colour) -> tuple[int, int, int]:
    """A colour as OpenCV's drawing functions want it."""
    blue, green, red = colour.tolist()
    return (min(max(int(blue), 0), 255), min(max(int(green), 0), 255),
            min(max(int(red), 0), 255))


def bgra(colour: Colour, alpha: int = 255) -> tuple[int, int, int, int]:
    """A colour with an opacity, for sprites."""
    return (*bgr(colour), alpha)


def _window(picture: np.ndarray, rng: np.random.Generator,
            box: tuple[int, int, int, int], frame: Colour,
            glass: Colour) -> None:
    left, top, right, bottom = box
    cv2.rectangle(picture, (left - 1, top - 1), (right + 1, bottom + 1),
                  bgr(frame), -1)
    pane = glass * rng.uniform(0.6, 1.3)
    cv2.rectangle(picture, (left, top), (right, bottom), bgr(pane), -1)
    kind = rng.random()
    if kind < 0.3:  # a blind or a curtain
        drop = top + int((bottom - top) * rng.uniform(0.2, 0.9))
        cv2.rectangle(picture, (left, top), (right, drop),
                      bgr(grey(rng, 110, 225)), -1)
    elif kind < 0.6:  # a reflection
        cv2.fillConvexPoly(
            picture,
            np.array([[left, bottom], [left, (top + bottom) // 2],
                      [right, top], [right, (top + 2 * bottom) // 3]]),
            bgr(pane * 1.5 + 20))
    if rng.random() < 0.6:
        middle = (left + right) // 2
        cv2.line(picture, (middle, top), (middle, bottom), bgr(frame), 1)


def facade(rng: np.random.Generator,
           length: float,
           height: float,
           density: float,
           material: str,
           colour: Colour,
           windowless: bool = False) -> Texture:
    """The front of a building.

    Args:
        rng (np.random.Generator): Source of randomness.
        length (float): Metres along the street.
        height (float): Metres.
        density (float): Texels per metre.
        material (str): Material of the wall.
        colour (np.ndarray): Colour of the wall.
        windowless (bool): A fire wall or a warehouse. Defaults to False.
    """
    cols, rows = max(8, int(length * density)), max(8, int(height * density))
    picture = fill(rng, material, rows, cols, colour)
    if windowless:
        return Texture(picture)
    frame = grey(rng, 30, 240) if rng.random() < 0.7 else colour * 0.6
    glass = grey(rng, 25, 120) * np.array([1.15, 1.05, 0.95], np.float32)
    storey = rng.uniform(2.9, 3.7) * density
    pitch = rng.uniform(1.6, 3.4) * density
    wide, tall = rng.uniform(0.4, 0.85), rng.uniform(0.45, 0.72)
    if rng.random() < 0.15:  # an office: bands of glass
        wide, tall = 0.94, 0.7
    shop = rng.random() < 0.45
    bands = rng.random() < 0.5
    floors = max(1, int(rows / storey))
    windows = max(1, int(cols / pitch))
    pitch = cols / windows
    for floor in range(floors):
        base = rows - floor * storey
        if floor == 0 and shop:
            _shop(picture, rng, int(base - storey), density)
            continue
        if bands:
            cv2.line(picture, (0, int(base)), (cols, int(base)),
                     bgr(colour * 0.72), max(1, int(0.12 * density)))
        for column in range(windows):
            left = int((column + 0.5 - wide / 2) * pitch)
            right = int((column + 0.5 + wide / 2) * pitch)
            top = int(base - storey * (0.16 + tall))
            if floor == 0 and column == windows // 2:
                box = (left, top, right, rows)  # the door
            else:
                box = (left, top, right, int(base - storey * 0.16))
            _window(picture, rng, box, frame, glass)
    if rng.random() < 0.5:  # balconies
        colour = grey(rng, 40, 220)
        step = int(rng.integers(2, 4))
        for floor in range(1, floors):
            for column in range(0, windows, step):
                base = int(rows - (floor + 0.05) * storey)
                cv2.rectangle(
                    picture,
                    (int((column + 0.05) * pitch), base - int(density)),
                    (int((column + 0.95) * pitch), base), bgr(colour), -1)
    edge = max(1, int(0.35 * density))
    cv2.rectangle(picture, (0, 0), (cols, edge),
                  bgr(colour * rng.uniform(0.5, 1.2)), -1)
    return Texture(picture)


def _shop(picture: np.ndarray, rng: np.random.Generator, top: int,
          density: float) -> None:
    """Shop windows under a sign board, over the whole ground floor."""
    rows, cols = picture.shape[:2]
    board = max(1, int(0.7 * density))
    cv2.rectangle(picture, (0, top), (cols, rows), bgr(grey(rng, 30, 130)),
                  -1)
    cv2.rectangle(picture, (0, top), (cols, top + board), bgr(paint(rng)), -1)
    colours = [bgr(paint(rng)) for _ in range(4)]
    left = 0
    while left < cols:
        right = left + int(rng.uniform(1.5, 4) * density)
        cv2.rectangle(picture, (left + 2, top + board + 2),
                      (right - 2, rows - int(0.3 * density)),
                      bgr(grey(rng, 25, 170)), -1)
        places = rng.random((4, 2))  # of goods and letters
        for colour, (x, y) in zip(colours, places.tolist()):
            x = int(left + x * (right - left))
            y = int(top + y * (rows - top))
            cv2.rectangle(
                picture, (x, y),
                (x + int(0.4 * density), y + int(0.3 * density)), colour, -1)
        left = right
    if rng.random() < 0.4:
        cv2.rectangle(picture, (0, top + board),
                      (cols, top + int(1.4 * board)), bgr(paint(rng)), -1)


def barrier(rng: np.random.Generator, length: float,
            height: float) -> Texture:
    """A fence: pickets, railings, wire or boards, some of them see-through."""
    density = 24
    cols, rows = int(length * density), max(12, int(height * density))
    colour = grey(rng, 30, 230) if rng.random() < 0.6 else masonry(rng)
    kind = rng.integers(4)
    if kind == 0:  # boards
        return Texture(fill(rng, 'wood', rows, cols, colour, 1.4))
    picture = np.zeros((rows, cols, 4), np.uint8)
    picture[:] = bgra(colour, 95)
    solid = bgra(colour)
    if kind == 1:  # pickets
        for x in range(0, cols, 5):
            cv2.rectangle(picture, (x, 0), (x + 2, rows), solid, -1)
    elif kind == 2:  # railings
        for x in range(0, cols, 4):
            cv2.line(picture, (x, 0), (x, rows), solid, 1)
    else:  # wire
        for x in range(-rows, cols + rows, 6):
            cv2.line(picture, (x, 0), (x + rows, rows), solid, 1)
            cv2.line(picture, (x, rows), (x + rows, 0), solid, 1)
    for y in (1, rows // 2, rows - 2)[::1 if kind != 3 else 2]:
        cv2.line(picture, (0, y), (cols, y), solid, 2)
    for x in range(0, cols, 2 * density):
        cv2.rectangle(picture, (x, 0), (x + 3, rows), solid, -1)
    return Texture(picture, see_through=True)


@functools.cache
def _crowns() -> list[tuple[np.ndarray, np.ndarray]]:
    """Shapes of foliage: relative brightness and alpha of each."""
    rng = np.random.default_rng(_BANK_SEED + 1)
    size = 144
    crowns = []
    for kind in ['broad'] * 9 + ['conifer'] * 3 + ['bare'] * 3:
        alpha = np.zeros((size, size), np.uint8)
        shade = np.full((size, size), 90, np.uint8)
        if kind == 'bare':
            _branch(alpha, rng, (size / 2, size - 1), -90.0, size * 0.28, 7)
        elif kind == 'conifer':
            for top in range(4, size - 20, 14):
                half = 8 + (top + 14) * 0.36 * rng.uniform(0.85, 1.15)
                points = np.array([[size / 2, top - 8],
                                   [size / 2 - half, top + 26],
                                   [size / 2 + half, top + 26]], np.int32)
                cv2.fillConvexPoly(alpha, points, 255)
                cv2.fillConvexPoly(shade, points, int(rng.uniform(80, 140)))
        else:
            for _ in range(34):
                angle, reach = rng.uniform(0, 2 * np.pi), rng.random()**0.6
                radius = int(rng.uniform(11, 25))
                middle = (int(size * (0.5 + 0.34 * reach * np.cos(angle))),
                          int(size * (0.5 + 0.34 * reach * np.sin(angle))))
                cv2.circle(alpha, middle, radius, 255, -1)
                light = 130 - 55 * reach * np.sin(angle)
                cv2.circle(shade, middle, radius,
                           int(light * rng.uniform(0.75, 1.25)), -1)
        leaf = fill(rng, 'leaf', size, size, np.full(3, 128.0))[..., 0]
        if kind != 'bare':
            ragged = cv2.GaussianBlur(alpha, (0, 0), 4).astype(np.float32)
            alpha = (ragged + 1.1 * (leaf - 128.0) > 110).astype(np.uint8)
            alpha *= 255
            shade = cv2.GaussianBlur(shade, (0, 0), 1.5)
            shade = cv2.multiply(shade, leaf, scale=1 / 128)
        crowns.append((shade, alpha))
    return crowns


def _branch(alpha: np.ndarray, rng: np.random.Generator,
            start: tuple[float, float], angle: float, length: float,
            depth: int) -> None:
    end = (start[0] + length * np.cos(np.radians(angle)),
           start[1] + length * np.sin(np.radians(angle)))
    cv2.line(alpha, tuple(int(v) for v in start), tuple(int(v) for v in end),
             255, max(1, depth - 3))
    if depth > 1:
        for turn in (rng.uniform(-45, -12), rng.uniform(12, 45)):
            _branch(alpha, rng, end, angle + turn,
                    length * rng.uniform(0.68, 0.88), depth - 1)


def crown(rng: np.random.Generator, kind: str, colour: Colour) -> Texture:
    """Foliage of a tree or bush: 'broad', 'conifer' or 'bare'."""
    first, last = {'broad': (0, 9), 'conifer': (9, 12), 'bare': (12, 15)}[kind]
    shade, alpha = _crowns()[rng.integers(first, last)]
    return Texture(cv2.merge([recolour(shade, colour, 1.1), alpha]))


def hedge(rng: np.random.Generator, length: float, height: float,
          colour: Colour) -> Texture:
    """Foliage with a ragged upper edge."""
    density = 18
    cols, rows = max(8, int(length * density)), max(8, int(height * density))
    picture = fill(rng, 'leaf', rows, cols, colour, 1.0)
    edge = fill(rng, 'leaf', 1, cols, np.full(3, 128.0))[0, :, 0] - 60.0
    edge = cv2.GaussianBlur(edge[None], (0, 0), 2)[0] * 0.04 * density
    depth = np.arange(rows)[:, None]
    alpha = np.where(depth < np.clip(edge, 0, rows * 0.3), 0, 255)
    return Texture(cv2.merge([picture, alpha.astype(np.uint8)]))


def sky(rng: np.random.Generator) -> tuple[Texture, Colour]:
    """A sky and the colour of the haze below it."""
    size = 256
    mood = rng.random()
    if mood < 0.4:  # blue with clouds
        top = hsv(rng.uniform(98, 116), rng.uniform(60, 170),
                  rng.uniform(150, 240))
        low, cover = grey(rng, 190, 245), rng.uniform(-0.4, 0.9)
    elif mood < 0.8:  # overcast
        top = grey(rng, 110, 235)
        low, cover = top * rng.uniform(0.9, 1.15), rng.uniform(0.2, 1.2)
    else:  # low sun
        top = hsv(rng.uniform(100, 125), rng.uniform(20, 110),
                  rng.uniform(90, 190))
        low = hsv(rng.uniform(5, 24), rng.uniform(30, 130),
                  rng.uniform(170, 250))
        cover = rng.uniform(-0.4, 0.8)
    ramp = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]**2
    picture = top * (1 - ramp) + low * ramp
    cloud = fill(rng, 'cloud', size, size, np.full(3, 128.0))
    cloud = cv2.resize(cloud, (2 * size, size))
    picture = np.repeat(picture, 2 * size, 1)
    veil = np.clip((cloud.astype(np.float32) - 128) / 110 + cover, 0, 1)
    picture = picture * (1 - 0.7 * veil) + 0.7 * veil * grey(rng, 120, 250)
    haze = np.clip(low * 0.9, 0, 255)
    return Texture(np.clip(picture, 0, 255).astype(np.uint8)), haze
