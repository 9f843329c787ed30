"""Where chosen pixels look in the past frames of a memory.

Draws the last frame with the chosen pixels marked, and for each of them the
past frames with the attention of that pixel over them, oldest first, as in
Fig. 1 of the LMANet paper:

    python tools/analysis_tools/visualize_memory.py CONFIG CHECKPOINT FRAMES \\
        --pixels 300,700 200,150 --out attention.png

Pixels are row,column of the frame. The number in the corner of a picture is
the share of the pixel's attention that falls on that frame; what is missing
to 1 fell outside the map.
"""
import argparse
import sys
from typing import List, Tuple

import cv2
import numpy as np
import torch
from torch import Tensor

from rtseg_plugin.apis import (
    Segmentor,
    TorchNetwork,
    load_segmentor,
    open_source,
)
from rtseg_plugin.apis.resize import resize_frame

COLOURS = [(60, 60, 230), (60, 200, 60), (230, 140, 40), (40, 200, 230),
           (200, 60, 200), (220, 220, 60)]


@torch.no_grad()
def attention_maps(model: torch.nn.Module, frames: List[np.ndarray],
                   size: Tuple[int, int],
                   pixels: List[Tuple[int, int]],
                   interpolation: str = 'bilinear',
                   backend: str = 'cv2') -> np.ndarray:
    """Attention of pixels of the last frame over the frames before it.

    Args:
        model (nn.Module): A video segmentor with a LocalMemoryAttention.
        frames (list[np.ndarray]): BGR frames, oldest first.
        size (tuple[int, int]): Size that the network works at.
        pixels (list[tuple[int, int]]): Row and column in the frames.
        interpolation (str): See :class:`.VideoSession`, as for the next.
        backend (str): What resizes the frames.

    Returns:
        np.ndarray: (pixels, past frames, h, w), at the feature's size.
    """
    neck, state, network = model.neck, None, TorchNetwork(model)
    *past, last = (
        model.backbone(
            network.prepare(
                [resize_frame(frame, size, interpolation, backend)]))
        for frame in frames)
    for features in past:
        state = neck.remember(features, state)
    # (1, R * R, T, h, w)
    weights = neck.attention(last, state)[0]
    r, (h, w) = neck.window_size // 2, weights.shape[2:]
    maps = weights.new_zeros(len(pixels), weights.shape[1], h, w)
    for number, (row, column) in enumerate(pixels):
        y = min(row * h // frames[-1].shape[0], h - 1)
        x = min(column * w // frames[-1].shape[1], w - 1)
        window: Tensor = weights[:, :, y, x].t().unflatten(1, (2 * r + 1, -1))
        top, left = max(y - r, 0), max(x - r, 0)
        bottom, right = min(y + r + 1, h), min(x + r + 1, w)
        maps[number, :, top:bottom, left:right] = window[
            :, top - y + r:bottom - y + r, left - x + r:right - x + r]
    return maps.cpu().numpy()


def draw(frames: List[np.ndarray], pixels: List[Tuple[int, int]],
         maps: np.ndarray, width: int) -> np.ndarray:
    """One row per pixel: past frames under its attention, then the frame."""
    height = round(frames[-1].shape[0] * width / frames[-1].shape[1])
    scale = width / frames[-1].shape[1]
    small = [cv2.resize(f, (width, height), interpolation=cv2.INTER_AREA)
             for f in frames]
    rows = []
    for number, (row, column) in enumerate(pixels):
        colour = COLOURS[number % len(COLOURS)]
        at = round(column * scale), round(row * scale)
        pictures = []
        for frame, weights in zip(small, maps[number]):
            heat = cv2.resize(weights, (width, height))
            heat = np.sqrt(heat / max(maps[number].max(), 1e-12)).clip(0, 1)
            colours = cv2.applyColorMap(
                (255 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)
            alpha = 0.35 + 0.65 * heat[..., None]
            picture = (0.6 * frame * (1 - alpha) + colours * alpha)
            picture = picture.clip(0, 255).astype(np.uint8)
            cv2.drawMarker(picture, at, colour, cv2.MARKER_CROSS, 9, 1)
            cv2.putText(picture, f'{weights.sum():.2f}', (6, 18),
                        cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1,
                        cv2.LINE_AA)
            pictures.append(picture)
        now = small[-1].copy()
        cv2.circle(now, at, 6, (255, 255, 255), 3, cv2.LINE_AA)
        cv2.circle(now, at, 6, colour, 2, cv2.LINE_AA)
        rows.append(np.hstack([*pictures, now]))
    return np.vstack(rows)


def pixel(text: str) -> Tuple[int, int]:
    row, column = text.split(',')
    return int(row), int(column)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        'config', help='a video config, a recipe or a network of the package')
    parser.add_argument(
        'checkpoint', nargs='?', help='none for a network of the package')
    parser.add_argument('source', help='folder of frames, or video file')
    parser.add_argument(
        '--pixels', type=pixel, nargs='+', required=True, metavar='ROW,COLUMN')
    parser.add_argument(
        '--frame', type=int, default=-1,
        help='number of the frame that looks back, from 0; default: the last')
    parser.add_argument('--out', default='memory_attention.png')
    parser.add_argument(
        '--width', type=int, default=384, help='of one picture, default 384')
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        segmentor = Segmentor(args.config, args.checkpoint, args.device)
        # the plain form, whose parts can be called
        model = load_segmentor(args.config, args.checkpoint, args.device)
        neck = model.neck if model.with_neck else None
        if not hasattr(neck, 'attention'):
            raise TypeError(f'{type(neck).__name__} has no attention to draw: '
                            'the neck must be a LocalMemoryAttention')
        kept: List[np.ndarray] = []
        for number, frame in enumerate(open_source(args.source)):
            if frame.image is not None:
                kept = [*kept[-neck.memory_size:], frame.image]
            if number == args.frame:
                break
        if len(kept) < 2:
            raise ValueError(f'{args.source} holds {len(kept)} frame(s) up to '
                             'the chosen one; at least two are needed')
        height, width = kept[-1].shape[:2]
        for row, column in args.pixels:
            if not (0 <= row < height and 0 <= column < width):
                raise ValueError(f'pixel {row},{column} is outside of the '
                                 f'{height}x{width} frame')
        maps = attention_maps(model, kept, segmentor.work_size(kept[-1]),
                              args.pixels, segmentor.interpolation,
                              segmentor.resize_backend)
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    picture = draw(kept, args.pixels, maps, args.width)
    if not cv2.imwrite(args.out, picture):
        sys.exit(f'error: cannot write {args.out}')
    print(f'wrote {args.out}: {len(args.pixels)} pixels over '
          f'{maps.shape[1]} past frames')


if __name__ == '__main__':
    main()
