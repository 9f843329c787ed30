"""Renders a frame of a street scene: picture, labels and optical flow.

Every quad is a plane, so a pixel's inverse depth is a linear function of its
place: the depth buffer, the labels and the flow are exact, not estimated.
The picture is rasterised at twice the size and filtered down; labels and flow
are samples at the very centres of the pixels.
"""
from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from .scene import (
    ANNOTATED_FRAME,
    GroundMap,
    Label,
    Look,
    Scene,
    Texture,
)

UNKNOWN_FLOW = 1e10
"""Marks a pixel without flow, above Middlebury's limit of 1e9."""

_SCALE = 2
_NEAR = 0.4  # metres; nothing closer is drawn
_GROUND, _FIRST_QUAD = 1, 2  # owners of samples; 0 is nobody
_UNIT = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1.0]])
_BANDS = (1.0, 4.5, 6.5, 9.5, 14.0, 21.0, 32.0, 50.0, 85.0, 230.0)


class Frame(NamedTuple):
    """A rendered frame.

    ``flow`` is (H, W, 2), where the content of a pixel is one frame later,
    as a displacement (x, y) in pixels; UNKNOWN_FLOW where it passes behind
    the camera.
    """

    image: np.ndarray
    label: np.ndarray
    flow: np.ndarray | None


class _Raster:
    """Colour, inverse depth and quad number of every sample."""

    def __init__(self, height: int, width: int) -> None:
        self.colour = np.zeros((height, width, 4), np.uint8)
        self.inverse = np.zeros((height, width), np.float32)
        self.owner = np.zeros((height, width), np.uint16)

    def windows(self, views: np.ndarray) -> list[_Window | None]:
        """Where quads may be seen; None for those that are out of sight.

        Args:
            views (np.ndarray): 3x3 matrices from (s, t, 1) to homogeneous
                pixel coordinates, of which the last one is the depth.
        """
        corners = views @ _UNIT  # (N, 3, 4)
        depth = corners[:, 2]
        front = depth.min(1) > _NEAR
        # The others are cut off one by one.
        points = corners[:, :2] / np.where(front[:, None], depth, 1)[:, None]
        edges = np.roll(points, -1, 2) - points
        lengths = np.hypot(edges[:, 0], edges[:, 1])
        sizes = np.where(front[:, None],
                         (lengths[:, :2] + lengths[:, 2:]) / 2, np.inf)
        low, high = points.min(2), points.max(2)
        for index in np.flatnonzero(~front & (depth.max(1) > _NEAR)):
            part = _clip(corners[index])
            low[index], high[index] = part.min(1), part.max(1)
        rows, cols = self.inverse.shape
        low = np.maximum(np.floor(low), 0)
        high = np.minimum(np.ceil(high) + 1, (cols, rows))
        found = (low < high).all(1) & (depth.max(1) > _NEAR)
        windows: list[_Window | None] = [None] * len(views)
        for index in np.flatnonzero(found):
            (left, top), (right, bottom) = (low[index].astype(int).tolist(),
                                            high[index].astype(int).tolist())
            windows[index] = _Window(
                (slice(top, bottom), slice(left, right)),
                np.linalg.inv(views[index]), tuple(sizes[index].tolist()))
        return windows

    def draw(self,
             window: _Window | None,
             texture: Texture,
             owner: int,
             gain: float = 1.0,
             tested: bool = True) -> None:
        """Draw a quad, hidden by what is nearer if ``tested``."""
        if window is None:
            return
        area, inverse = window.area, window.inverse()
        mask = inverse > (self.inverse[area] if tested else 0)
        mask &= inverse < 1 / _NEAR
        if not mask.any():
            return
        patch = window.sample(texture)
        opacity = patch[..., 3:]
        # A little below one half, so that neighbours leave no gap.
        mask &= opacity[..., 0] >= (40 if texture.see_through else 100)
        if gain != 1.0:
            patch = cv2.convertScaleAbs(patch, alpha=gain)
        mask = mask.view(np.uint8)
        colour = self.colour[area]
        if texture.see_through:
            part = opacity.astype(np.float32) / 255
            patch = (patch * part + colour * (1 - part)).astype(np.uint8)
        cv2.copyTo(patch, mask, colour)
        cv2.copyTo(inverse, mask, self.inverse[area])
        cv2.copyTo(np.full(mask.shape, owner, np.uint16), mask,
                   self.owner[area])

    def darken(self, window: _Window | None, texture: Texture,
               strength: float) -> None:
        """Multiply the ground by a shadow; the alpha is its depth."""
        if window is None:
            return
        shade = window.sample(texture)[..., 3] * np.float32(strength / 255)
        hidden = self.owner[window.area] != _GROUND
        shade[(window.inverse() <= 0) | hidden] = 0
        colour = self.colour[window.area]
        colour[:] = colour * (1 - shade[..., None])


class _Window(NamedTuple):
    """The part of the raster where a quad may be seen."""

    area: tuple[slice, slice]
    to_plane: np.ndarray  # from homogeneous pixels to (s, t, 1) / depth
    size: tuple[float, float]  # of the quad, in samples

    def inverse(self) -> np.ndarray:
        """Inverse depth of the quad's plane."""
        ys, xs = self.area
        a, b, c = self.to_plane[2].astype(np.float32)
        ramp = np.arange(ys.start, ys.stop, dtype=np.float32) * b + c
        return ramp[:, None] + np.arange(
            xs.start, xs.stop, dtype=np.float32) * a

    def sample(self, texture: Texture) -> np.ndarray:
        """The quad's BGRA patch, transparent where it ends."""
        pixels = texture.level(*self.size)
        rows, cols = pixels.shape[:2]
        ys, xs = self.area
        to_texel = np.array([[cols, 0, -0.5], [0, rows, -0.5], [0, 0, 1]])
        shift = np.array([[1, 0, xs.start], [0, 1, ys.start], [0, 0, 1]])
        return cv2.warpPerspective(
            pixels, to_texel @ self.to_plane @ shift,
            (xs.stop - xs.start, ys.stop - ys.start),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT)


def _clip(corners: np.ndarray) -> np.ndarray:
    """Image points of a polygon cut off at the near plane."""
    points = []
    for start, end in zip(corners.T, np.roll(corners, -1, 1).T):
        if start[2] > _NEAR:
            points.append(start[:2] / start[2])
        if (start[2] > _NEAR) != (end[2] > _NEAR):
            part = (_NEAR - start[2]) / (end[2] - start[2])
            cut = start + part * (end - start)
            points.append(cut[:2] / _NEAR)
    return np.array(points).T


def _soft_spot() -> Texture:
    """Shape of a contact shadow."""
    ramp = np.clip((1 - np.abs(np.linspace(-1, 1, 32))) * 5, 0, 1)
    sheet = np.zeros((32, 32, 4), np.uint8)
    sheet[..., 3] = 255 * np.outer(ramp, ramp)
    return Texture(sheet)


class Renderer:
    """Renders the frames of one scene.

    Args:
        scene (Scene): The scene.
        height (int): Image height.
        width (int): Image width.
    """

    def __init__(self, scene: Scene, height: int, width: int) -> None:
        self.scene = scene
        self.size = (height, width)
        self._spot = _soft_spot()
        quads = scene.quads
        self._frames = np.stack([quad.frame for quad in quads])
        self._bodies = np.array([quad.body for quad in quads])
        self._one_sided = np.array([quad.one_sided for quad in quads])
        self._see_through = np.array(
            [quad.texture.see_through for quad in quads])
        labels = [int(Label.VOID)] * _FIRST_QUAD
        labels += [int(quad.label) for quad in quads]
        self._labels = np.array(labels, np.uint8)

    def render(self,
               time: int,
               rng: np.random.Generator,
               with_flow: bool = False) -> Frame:
        """Render a frame.

        Args:
            time (int): Frame index.
            rng (np.random.Generator): Noise of this frame.
            with_flow (bool): Whether to compute the flow to the next frame.
                Defaults to False.
        """
        height, width = self.size
        camera, look = self.scene.camera, self.scene.look
        rotation, centre = camera.pose(time)
        intrinsics = camera.intrinsics(height, width)
        view = intrinsics @ rotation
        label = np.full(self.size, int(Label.VOID), np.uint8)
        raster = _Raster(_SCALE * height, _SCALE * width)
        fine = np.diag([_SCALE, _SCALE, 1.0]) @ view
        poses = np.stack([body.pose(time) for body in self.scene.bodies])
        # From (s, t, 1) of every quad to its samples, (N, 3, 3).
        turned = poses[self._bodies]
        frames = turned[:, :, :3] @ self._frames
        frames[:, :, 2] += turned[:, :, 3] - centre
        views = fine @ frames
        raster.draw(raster.windows(views[:1])[0], self.scene.quads[0].texture,
                    _FIRST_QUAD)
        for ground in self.scene.grounds:
            self._draw_ground(raster, fine, centre, ground)
            _label_ground(label, view, centre, ground)
        self._draw_shadows(raster, fine, centre, poses)
        self._draw_quads(raster, views)
        owner = raster.owner[::_SCALE, ::_SCALE]
        inverse = raster.inverse[::_SCALE, ::_SCALE]
        label = np.where(owner == _GROUND, label, self._labels[owner])
        # Centred on the even samples, where the labels are taken.
        colour = cv2.pyrDown(raster.colour[..., :3])
        hood = _hood(self.size, look)
        flow = None
        if with_flow:
            flow = self._flow(time, view, centre, poses, owner, inverse)
        if hood is not None:
            label[hood] = Label.VOID
            if flow is not None:
                flow[hood] = 0.0
        image = expose(colour, inverse, hood, look, time, rng)
        return Frame(image, label, flow)

    def _draw_ground(self, raster: _Raster, view: np.ndarray,
                     centre: np.ndarray, ground: GroundMap) -> None:
        """Draw bands across the street, each filtered for its distance."""
        rows, cols = ground.label.shape
        depth, width = ground.cell[1], ground.cell[0] * cols
        end = ground.near + rows * depth
        frames, crops = [], []
        for start, stop in zip(_BANDS, _BANDS[1:]):
            first = (centre[2] + start - ground.near) / depth
            last = (centre[2] + stop - ground.near) / depth
            # One texel more on each side closes the seams.
            first = max(0, int(first) - 1)
            last = min(rows, int(last) + 2)
            if last - first < 2:
                continue
            frames.append([[width, 0, ground.left - centre[0]],
                           [0, 0, -centre[1]],
                           [0, -(last - first) * depth,
                            end - (rows - last) * depth - centre[2]]])
            crops.append(Texture(ground.colour[rows - last:rows - first]))
        if not crops:
            return
        windows = raster.windows(view @ np.array(frames))
        for window, crop in zip(windows, crops):
            raster.draw(window, crop, _GROUND, tested=False)

    def _draw_shadows(self, raster: _Raster, view: np.ndarray,
                      centre: np.ndarray, poses: np.ndarray) -> None:
        frames = []
        for body, half_x, half_z, _ in self.scene.shadows:
            pose = poses[body]
            frame = pose[:, :3] @ [[2 * half_x, 0, -half_x], [0, 0, 0],
                                   [0, -2 * half_z, half_z]]
            frame[:, 2] += pose[:, 3] - centre
            frames.append(frame)
        if not frames:
            return
        windows = raster.windows(view @ np.array(frames))
        for window, shadow in zip(windows, self.scene.shadows):
            raster.darken(window, self._spot, shadow.strength)

    def _draw_quads(self, raster: _Raster, views: np.ndarray) -> None:
        corners = views @ _UNIT  # (N, 3, 4)
        xs, ys, depth = corners[:, 0], corners[:, 1], corners[:, 2]
        height, width = raster.inverse.shape
        # A corner is beyond a border if its homogeneous point is.
        seen = (depth > _NEAR).any(1)
        seen &= (xs > 0).any(1) & (xs < width * depth).any(1)
        seen &= (ys > 0).any(1) & (ys < height * depth).any(1)
        seen &= ~self._one_sided | (np.linalg.det(views) > 0)
        seen[0] = False  # the sky is there already
        # What is solid comes near ones first, so that hidden things cost
        # little; what is seen through comes last, far ones first.
        order = np.argsort(depth.mean(1), kind='stable')
        order = order[seen[order]]
        through = self._see_through[order]
        order = np.concatenate([order[~through], order[through][::-1]])
        for index, window in zip(order, raster.windows(views[order])):
            quad = self.scene.quads[index]
            raster.draw(window, quad.texture, index + _FIRST_QUAD, quad.gain)

    def _flow(self, time: int, view: np.ndarray, centre: np.ndarray,
              poses: np.ndarray, owner: np.ndarray,
              inverse: np.ndarray) -> np.ndarray:
        """Where each pixel's point is one frame later.

        With the inverse depth w, the point of pixel p is centre +
        inv(view) p / w. Its body's motion and the next camera are affine,
        so its next pixel is (A p + w b) up to a factor, with one A and b
        for each body.
        """
        height, width = self.size
        camera = self.scene.camera
        rotation, later = camera.pose(time + 1)
        next_view = camera.intrinsics(height, width) @ rotation
        back = np.linalg.inv(view)
        turns, shifts = [], []
        for body, pose in zip(self.scene.bodies, poses):
            moved = body.pose(time + 1)
            turn = moved[:, :3] @ np.linalg.inv(pose[:, :3])
            shift = moved[:, 3] + turn @ (centre - pose[:, 3]) - later
            turns.append(next_view @ turn @ back)
            shifts.append(next_view @ shift)
        body = np.concatenate([[0] * _FIRST_QUAD, self._bodies])[owner]
        pixels = np.stack([*np.meshgrid(np.arange(width), np.arange(height)),
                           np.ones(self.size)], -1)
        moved = np.einsum('hwij,hwj->hwi', np.stack(turns)[body], pixels)
        moved += np.stack(shifts)[body] * inverse[..., None]
        ahead = moved[..., 2] > 1e-6
        depth = np.where(ahead, moved[..., 2], 1.0)
        flow = moved[..., :2] / depth[..., None] - pixels[..., :2]
        flow[~ahead] = UNKNOWN_FLOW
        return flow.astype(np.float32)


def _label_ground(label: np.ndarray, view: np.ndarray, centre: np.ndarray,
                  ground: GroundMap) -> None:
    """Sample the classes of the ground at the pixels."""
    rows, cols = ground.label.shape
    wide, deep = ground.cell
    frame = np.array([[wide, 0, ground.left + wide / 2], [0, 0, 0],
                      [0, -deep, ground.near + (rows - 0.5) * deep]])
    frame[:, 2] -= centre
    to_texel = np.linalg.inv(view @ frame)
    height, width = label.shape
    found = cv2.warpPerspective(
        ground.label, to_texel, (width, height),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=254)
    label[found != 254] = found[found != 254]


def _hood(size: tuple[int, int], look: Look) -> np.ndarray | None:
    """Where the ego vehicle's hood covers the picture."""
    if look.hood is None:
        return None
    height, width = size
    rise, _, curve = look.hood
    across = np.linspace(-1, 1, width)
    edge = height * (1 - rise * (1 - curve * across**2))
    return np.arange(height)[:, None] > edge[None]


def expose(colour: np.ndarray, inverse: np.ndarray, hood: np.ndarray | None,
           look: Look, time: int, rng: np.random.Generator) -> np.ndarray:
    """What the camera makes of the light: haze, blur, exposure, noise.

    Args:
        colour (np.ndarray): The clean picture.
        inverse (np.ndarray): Inverse depth of each pixel.
        hood (np.ndarray, optional): Mask of the ego vehicle.
        look (Look): Light and sensor of the scene.
        time (int): Frame index.
        rng (np.random.Generator): Noise of this frame.
    """
    height, width = inverse.shape
    colour = colour.astype(np.float32)
    veil = np.exp(-1 / (look.haze_range * np.maximum(inverse, 1e-3)))
    veil = np.minimum(1 - veil, 0.75)
    veil[inverse < 1e-3] = 0.0  # the sky has its own
    veil = cv2.merge([veil] * 3)
    colour += (look.haze.astype(np.float32) - colour) * veil
    if hood is not None:
        ramp = np.linspace(1.6, 0.7, height, dtype=np.float32)[:, None]
        colour[hood] = (look.hood[1] * ramp * hood)[hood][:, None]
    light = np.exp(look.drift * (time - ANNOTATED_FRAME)
                   + rng.normal(0, look.flicker))
    grey = np.full((3, 3), (1 - look.saturation) / 3)
    mixing = (grey + look.saturation * np.eye(3)) * look.tint[:, None]
    colour = cv2.transform(colour, mixing * light)
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None]
    fall_off = 1 - np.float32(look.vignette) * (xs**2 + ys**2) / 2
    colour *= cv2.merge([fall_off] * 3)
    colour = _shake(colour, look.blur * width, rng)
    colour = _corrupt(colour, rng)
    colour = np.clip(colour, 0, 255, out=colour)
    colour = cv2.pow(colour / 255, look.gamma)
    return _noisy(255 * colour, look.noise, rng)


def _shake(colour: np.ndarray, longest: float,
           rng: np.random.Generator) -> np.ndarray:
    """Motion blur along a random direction, heavy in some frames."""
    length, angle = rng.uniform(0, longest), rng.uniform(0, np.pi)
    if rng.random() < 0.12:
        length = 2.5 * longest
    reach = max(1, int(np.ceil(length / 2)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for part in np.linspace(-0.5, 0.5, 8 * reach + 1):
        x = reach + part * length * np.cos(angle)
        y = reach + part * length * np.sin(angle)
        kernel[int(round(y)), int(round(x))] += 1
    return cv2.filter2D(colour, -1, kernel / kernel.sum())


def _corrupt(colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What spoils parts of one frame and not of the next.

    There the picture alone tells little; the frames before do.
    """
    width = colour.shape[1]
    spoilers = (_glare, _drop, _rain, _loss)
    chances = rng.random(len(spoilers))
    places = rng.random((len(spoilers), 3))
    for spoil, chance, (x, y, size) in zip(spoilers, chances, places):
        if chance < 0.33:
            middle = (x * width, y * colour.shape[0])
            spoil(colour, rng, middle, width * (0.07 + 0.13 * size))
    return colour


def _distance(colour: np.ndarray, middle: tuple[float, float],
              radius: float) -> np.ndarray:
    """Squared distance to a place, in radii, (H, W, 1)."""
    height, width = colour.shape[:2]
    xs = (np.arange(width, dtype=np.float32) - middle[0]) / radius
    ys = (np.arange(height, dtype=np.float32) - middle[1]) / radius
    return (xs[None]**2 + ys[:, None]**2)[..., None]


def _glare(colour: np.ndarray, rng: np.random.Generator,
           middle: tuple[float, float], radius: float) -> None:
    light = rng.uniform(90, 260)
    colour += light * np.exp(-_distance(colour, middle, radius))


def _drop(colour: np.ndarray, rng: np.random.Generator,
          middle: tuple[float, float], radius: float) -> None:
    """A drop on the glass: hardly anything is seen through it."""
    height, width = colour.shape[:2]
    cell = max(2, width // 24)
    drop = cv2.resize(colour, (width // cell, max(1, height // cell)),
                      interpolation=cv2.INTER_AREA)
    drop = cv2.resize(drop, (width, height), interpolation=cv2.INTER_CUBIC)
    shape = np.clip(3 - 3 * _distance(colour, middle, radius), 0, 1)
    colour += (drop * np.float32(rng.uniform(0.8, 1.2)) - colour) * shape


def _rain(colour: np.ndarray, rng: np.random.Generator,
          middle: tuple[float, float], radius: float) -> None:
    height, width = colour.shape[:2]
    rain = np.zeros((height, width), np.float32)
    slant, length = rng.uniform(-0.3, 0.3), rng.uniform(0.02, 0.07) * width
    starts = rng.normal(0, radius, (int(rng.integers(60, 220)), 2)) + middle
    for x, y in starts.tolist():
        cv2.line(rain, (int(x), int(y)),
                 (int(x + slant * length), int(y + length)), 1.0,
                 max(1, width // 512))
    colour += rain[..., None] * np.float32(rng.uniform(35, 90))


def _loss(colour: np.ndarray, rng: np.random.Generator,
          middle: tuple[float, float], radius: float) -> None:
    """Blocks of the stream that did not arrive but for their mean colour."""
    height, width = colour.shape[:2]
    cell = max(4, width // 16)
    wide, high = int(radius * rng.uniform(1.4, 2.4)), int(radius)
    for top in range(int(middle[1]) - high, int(middle[1]) + high, cell):
        # Rows of blocks break off at different places.
        shift = int(rng.uniform(-0.4, 0.4) * wide)
        left = max(0, int(middle[0]) - wide // 2 + shift)
        part = colour[max(0, top):max(0, top + cell), left:left + wide]
        if part.size:
            part[:] = part.mean((0, 1))


def _noisy(colour: np.ndarray, levels: tuple[float, float, float],
           rng: np.random.Generator) -> np.ndarray:
    """Noise of three grain sizes, stronger where there is more light."""
    height, width = colour.shape[:2]
    noise = np.zeros_like(colour)
    for level, block in zip(levels, (1, 2, 8)):
        shape = (-(-height // block), -(-width // block), 3)
        grain = rng.standard_normal(shape, dtype=np.float32)
        if block > 1:
            grain = cv2.resize(grain, (shape[1] * block, shape[0] * block),
                               interpolation=cv2.INTER_LINEAR)
        noise += level * grain[:height, :width]
    colour += noise * cv2.sqrt(colour * (0.55 / 128) + 0.45)
    return np.clip(colour + 0.5, 0, 255).astype(np.uint8)
