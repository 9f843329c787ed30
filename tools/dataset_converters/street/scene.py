"""What a street scene is made of, between the layout and the renderer.

World coordinates are metres: x to the right, y up, z along the street. The
camera stands at z = 0 in the annotated frame. A point of a body is mapped to
the world by the body's 3x4 pose at a time; time is the frame index and every
pose is a closed formula of it, so that any frame can be rendered alone.
"""
from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np

ANNOTATED_FRAME = 19
"""Index of the annotated frame of a snippet, as in Cityscapes."""


class Label(enum.IntEnum):
    """Cityscapes train ids."""

    ROAD = 0
    SIDEWALK = 1
    BUILDING = 2
    WALL = 3
    FENCE = 4
    POLE = 5
    TRAFFIC_LIGHT = 6
    TRAFFIC_SIGN = 7
    VEGETATION = 8
    TERRAIN = 9
    SKY = 10
    PERSON = 11
    RIDER = 12
    CAR = 13
    TRUCK = 14
    BUS = 15
    TRAIN = 16
    MOTORCYCLE = 17
    BICYCLE = 18
    VOID = 255


class Texture:
    """A BGRA picture with prefiltered versions of itself.

    A facade seen along the street is squeezed in one direction only, so the
    two directions are prefiltered separately.

    Args:
        pixels (np.ndarray): BGRA or BGR picture, uint8.
        see_through (bool): Whether alpha is the opacity of something that
            counts as a whole, such as the mesh of a fence or the spokes of a
            wheel: it is blended with what lies behind and carries its label
            even where little of it is seen. Defaults to False.
    """

    def __init__(self,
                 pixels: np.ndarray,
                 see_through: bool = False) -> None:
        if pixels.shape[2] == 3:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)
        self.pixels = pixels
        self.see_through = see_through
        self._levels: dict[tuple[int, int], np.ndarray] = {}

    def level(self, width: float, height: float) -> np.ndarray:
        """The version that suits a projection of this many pixels."""
        rows, cols = self.pixels.shape[:2]
        key = (_halvings(cols, width), _halvings(rows, height))
        if key == (0, 0):
            return self.pixels
        if key not in self._levels:
            size = (max(1, cols >> key[0]), max(1, rows >> key[1]))
            self._levels[key] = cv2.resize(
                self.pixels, size, interpolation=cv2.INTER_AREA)
        return self._levels[key]


def _halvings(texels: int, pixels: float) -> int:
    ratio = texels / max(pixels, 1.0)
    return int(math.log2(ratio) + 0.25) if ratio > 1.0 else 0


class Quad(NamedTuple):
    """A textured parallelogram.

    ``frame`` is a 3x3 matrix whose columns are the edge along the texture's
    rows, the edge along its columns (downwards) and the top left corner:
    ``point = frame @ (s, t, 1)`` with s and t in 0..1, in body coordinates.
    """

    frame: np.ndarray
    texture: Texture
    label: int
    body: int = 0
    gain: float = 1.0
    one_sided: bool = False


def upright(left: tuple[float, float], right: tuple[float, float],
            bottom: float, top: float) -> np.ndarray:
    """Frame of a vertical quad between two ground points (x, z)."""
    return np.array([[right[0] - left[0], 0.0, left[0]],
                     [0.0, bottom - top, top],
                     [right[1] - left[1], 0.0, left[1]]])


class Swing(NamedTuple):
    """A limb's rotation in its own plane about a pivot (x, y)."""

    pivot: tuple[float, float]
    amplitude: float
    rate: float
    phase: float


@dataclass(frozen=True)
class Body:
    """Something rigid that moves; body 0 of a scene is the street itself.

    Args:
        position (tuple): x, y, z in the annotated frame.
        velocity (tuple): Metres per frame along x and z. Defaults to rest.
        yaw (float): Heading about the vertical; 0 looks along the street.
            Defaults to 0.
        yaw_rate (float): Radians per frame. Defaults to 0.
        swing (Swing, optional): Rotation of a limb. Defaults to None.
    """

    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    velocity: tuple[float, float] = (0.0, 0.0)
    yaw: float = 0.0
    yaw_rate: float = 0.0
    swing: Swing | None = None

    def pose(self, time: float) -> np.ndarray:
        """The 3x4 matrix from body to world coordinates."""
        elapsed = time - ANNOTATED_FRAME
        yaw = self.yaw + self.yaw_rate * elapsed
        cos, sin = math.cos(yaw), math.sin(yaw)
        pose = np.array([
            [cos, 0.0, sin, self.position[0] + self.velocity[0] * elapsed],
            [0.0, 1.0, 0.0, self.position[1]],
            [-sin, 0.0, cos, self.position[2] + self.velocity[1] * elapsed],
        ])
        if self.swing is None:
            return pose
        (x, y), amplitude, rate, phase = self.swing
        angle = amplitude * math.sin(rate * elapsed + phase)
        cos, sin = math.cos(angle), math.sin(angle)
        limb = np.array([[cos, -sin, 0.0, x - cos * x + sin * y],
                         [sin, cos, 0.0, y - sin * x - cos * y],
                         [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
        return pose @ limb


class Wave(NamedTuple):
    """Slow sway and fast vibration of one camera coordinate."""

    terms: tuple[tuple[float, float, float], ...]  # amplitude, rate, phase

    def __call__(self, time: float) -> float:
        return sum(a * math.sin(r * time + p) for a, r, p in self.terms)


@dataclass(frozen=True)
class Camera:
    """A camera driving along the street.

    Args:
        focal (float): Focal length over image width.
        horizon (float): Image row of the optical axis over image height.
        position (tuple): x, y, z in the annotated frame.
        speed (float): Metres per frame along the heading.
        angles (tuple): Yaw, pitch and roll in the annotated frame.
        yaw_rate (float): Radians per frame.
        waves (tuple[Wave]): Sway of x, y, yaw, pitch and roll.
    """

    focal: float
    horizon: float
    position: tuple[float, float, float]
    speed: float
    angles: tuple[float, float, float]
    yaw_rate: float
    waves: tuple[Wave, Wave, Wave, Wave, Wave]

    def intrinsics(self, height: int, width: int) -> np.ndarray:
        """The 3x3 matrix K; pixel centres have integer coordinates."""
        focal = self.focal * width
        return np.array([[focal, 0.0, 0.5 * (width - 1)],
                         [0.0, focal, self.horizon * height - 0.5],
                         [0.0, 0.0, 1.0]])

    def pose(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Rotation world to camera (x right, y down, z ahead) and centre."""
        elapsed = time - ANNOTATED_FRAME
        sway = [wave(time) for wave in self.waves]
        yaw = self.angles[0] + self.yaw_rate * elapsed + sway[2]
        pitch = self.angles[1] + sway[3]
        roll = self.angles[2] + sway[4]
        centre = np.array([
            self.position[0] + sway[0], self.position[1] + sway[1],
            self.position[2] + self.speed * elapsed
        ])
        cos, sin = math.cos(yaw), math.sin(yaw)
        turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        cos, sin = math.cos(pitch), math.sin(pitch)
        tilt = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
        cos, sin = math.cos(roll), math.sin(roll)
        bank = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        return np.diag([1.0, -1.0, 1.0]) @ bank @ tilt @ turn, centre


class GroundMap(NamedTuple):
    """The ground from above: row 0 is the far end, column 0 the left end."""

    colour: np.ndarray  # (rows, cols, 4) BGRA
    label: np.ndarray  # (rows, cols)
    left: float
    near: float
    cell: tuple[float, float]  # metres per texel along x and z


class Shadow(NamedTuple):
    """The contact shadow of a body on the ground: half sizes in metres."""

    body: int
    half_x: float
    half_z: float
    strength: float


@dataclass(frozen=True)
class Look:
    """Light and sensor of a scene; colours are BGR.

    Args:
        tint (np.ndarray): Gain of each channel, exposure included.
        saturation (float): 0 is grey.
        gamma (float): Exponent of the tone curve.
        haze (np.ndarray): Colour of the haze.
        haze_range (float): Distance in metres at which it reaches 63 %.
        noise (tuple): Standard deviations of the sensor noise, in grey
            levels, per pixel, per 2x2 and per 8x8 block.
        flicker (float): Standard deviation of the log exposure per frame.
        drift (float): Change of the log exposure per frame.
        blur (float): Longest motion blur over image width.
        vignette (float): Loss of light in the corners.
        hood (tuple, optional): Height over image height, brightness and
            curvature of the ego vehicle's hood. Defaults to None, no hood.
    """

    tint: np.ndarray
    saturation: float
    gamma: float
    haze: np.ndarray
    haze_range: float
    noise: tuple[float, float, float]
    flicker: float
    drift: float
    blur: float
    vignette: float
    hood: tuple[float, float, float] | None = None


@dataclass
class Scene:
    """Everything the renderer needs, whatever the image size."""

    camera: Camera
    look: Look
    grounds: list[GroundMap] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=lambda: [Body()])
    quads: list[Quad] = field(default_factory=list)
    shadows: list[Shadow] = field(default_factory=list)

    def add_body(self, body: Body) -> int:
        """Append a body and return its number."""
        self.bodies.append(body)
        return len(self.bodies) - 1

    def add(self,
            frame: np.ndarray,
            texture: Texture,
            label: int,
            body: int = 0,
            gain: float = 1.0,
            one_sided: bool = False) -> None:
        """Append a quad."""
        self.quads.append(Quad(frame, texture, label, body, gain, one_sided))
