"""Labels of the size of the image from logits at the head's stride.

Needs numpy alone: deployed models use it where there is no torch.
"""
from functools import lru_cache
from typing import NamedTuple, Optional, Tuple

import numpy as np

# Pixels of cells blended at a time: what stays in a processor's cache.
_BLOCK = 1 << 17


class _Axis(NamedTuple):
    """How a side is resized: cells between two neighbouring samples.

    Attributes:
        low (np.ndarray): (cells, ), the sample before each cell.
        high (np.ndarray): (cells, ), the one behind it, or the same.
        counts (np.ndarray): (cells, ), how many pixels lie in it.
        pixels (np.ndarray): (most, cells), which; the last one repeated.
        weights (np.ndarray): (most, cells), of the sample behind.
    """
    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray
    pixels: np.ndarray
    weights: np.ndarray


@lru_cache(maxsize=64)
def _axis(size: int, samples: int, align_corners: bool, crop: int) -> _Axis:
    """In float32 and in the order of ``torch.nn.functional.interpolate``."""
    one, half = np.float32(1), np.float32(0.5)
    pixel = np.arange(crop, dtype=np.float32)
    if align_corners:
        scale = np.float32(samples - 1) / np.float32(max(size - 1, 1))
        place = scale * pixel
    else:
        scale = np.float32(samples) / np.float32(size)
        place = scale * (pixel + half) - half
    below = np.minimum(np.floor(place).astype(np.int64), samples - 1)
    # the border repeats: before the first sample a cell of its own
    weight = np.where(below < 0, 0, place - below.astype(np.float32))
    cell, first, counts = np.unique(
        below, return_index=True, return_counts=True)
    pixels = first + np.minimum(np.arange(counts.max())[:, None], counts - 1)
    return _Axis(
        np.maximum(cell, 0), np.minimum(cell + 1, samples - 1), counts,
        pixels, np.clip(weight, 0, one)[pixels])


def _argmax(logits: np.ndarray, dtype: type) -> np.ndarray:
    """First index of the maximum along the first axis of (C, ...)."""
    shape = logits.shape[1:]
    logits = logits.reshape(len(logits), -1)
    labels = np.zeros(logits.shape[1], dtype)
    for start in range(0, labels.size, _BLOCK):
        part = np.ascontiguousarray(logits[:, start:start + _BLOCK])
        label = labels[start:start + _BLOCK]
        best = part[0].copy()
        for index in range(1, len(part)):
            # later classes have larger numbers: no need for a masked write
            won = np.greater(part[index], best)
            np.maximum(best, part[index], out=best)
            np.maximum(label, np.multiply(won, dtype(index)), out=label)
    return labels.reshape(shape)


def _blend_cells(logits: np.ndarray, labels: np.ndarray, rows: _Axis,
                 columns: _Axis, i: np.ndarray, j: np.ndarray) -> None:
    """Write the labels of the pixels of some cells.

    Args:
        logits (np.ndarray): (C, h, w).
        labels (np.ndarray): (H, W), written to.
        rows (_Axis): The cells downwards.
        columns (_Axis): The cells to the right.
        i (np.ndarray): (K, ), which of the former.
        j (np.ndarray): (K, ), which of the latter.
    """
    # (4, C, K): top left, top right, bottom left, bottom right
    samples = logits.reshape(len(logits), -1)
    corners = np.stack([
        samples.take(y * logits.shape[2] + x, 1)
        for y in (rows.low[i], rows.high[i])
        for x in (columns.low[j], columns.high[j])
    ])
    # A class whose largest corner is below the smallest corner of another
    # one wins nowhere in the cell.
    bound = corners.min(0).max(0)
    cell, label = np.nonzero((corners.max(0) >= bound).T)
    corners = corners.reshape(4, -1)
    counts = np.bincount(cell)
    starts = np.cumsum(counts) - counts
    # cells with many candidates first: those with a next one are in front
    order = np.argsort(-counts, kind='stable')
    counts, starts, i, j = counts[order], starts[order], i[order], j[order]
    # (rows, columns, K)
    down = rows.weights.take(i, 1)[:, None]
    across = columns.weights.take(j, 1)[None]
    up, back = 1 - down, 1 - across
    dtype = labels.dtype.type
    for rank in range(counts[0]):
        k = np.count_nonzero(counts > rank)
        which = label[starts[:k] + rank]
        ends = corners.take(which * len(i) + order[:k], 1)
        to_right = across[..., :k]
        top = back[..., :k] * ends[0] + to_right * ends[1]
        bottom = back[..., :k] * ends[2] + to_right * ends[3]
        value = up[..., :k] * top + down[..., :k] * bottom
        which = which.astype(dtype)
        if rank == 0:
            best, found = value, np.broadcast_to(which, value.shape).copy()
            continue
        won = np.greater(value, best[..., :k])
        np.maximum(best[..., :k], value, out=best[..., :k])
        np.maximum(
            found[..., :k], np.multiply(won, which), out=found[..., :k])
    labels[rows.pixels.take(i, 1)[:, None],
           columns.pixels.take(j, 1)[None]] = found


def _one_map(logits: np.ndarray, rows: _Axis, columns: _Axis,
             dtype: type) -> np.ndarray:
    """Labels (H, W) of logits (C, h, w)."""
    sample = _argmax(logits, dtype)
    top, bottom = sample[rows.low], sample[rows.high]
    cells = top[:, columns.low]
    border = cells != top[:, columns.high]
    border |= cells != bottom[:, columns.low]
    border |= cells != bottom[:, columns.high]
    labels = np.repeat(
        np.repeat(cells, columns.counts, axis=1), rows.counts, axis=0)
    i, j = np.nonzero(border)
    step = max(_BLOCK // (len(rows.pixels) * len(columns.pixels)), 1)
    for start in range(0, len(i), step):
        block = slice(start, start + step)
        _blend_cells(logits, labels, rows, columns, i[block], j[block])
    return labels


def check(shape: Tuple[int, ...], size: Tuple[int, int],
          crop: Optional[Tuple[int, int]]) -> Tuple[int, int]:
    """The part that is wanted; raises ValueError for what cannot be."""
    if len(shape) != 4 or 0 in shape:
        raise ValueError(f'logits must be (N, C, h, w), got {tuple(shape)}')
    if crop is None:
        return size
    if not all(0 < part <= side for part, side in zip(crop, size)):
        raise ValueError(
            f'a part of {tuple(crop)} cannot be cut from {tuple(size)}')
    return crop


def label_map(logits: np.ndarray,
              size: Tuple[int, int],
              align_corners: bool = False,
              threshold: float = 0.5,
              crop: Optional[Tuple[int, int]] = None) -> np.ndarray:
    """Argmax of bilinearly resized logits, without resizing them.

    Bilinear resizing blends the four samples around a pixel with weights that
    add up to one, so that a class that is ahead in all four is ahead in every
    pixel between them. Only cells whose corners differ are blended, and in
    these only classes that can win.

    Where classes are equal the lowest index wins, as in ``torch.argmax``.
    The labels are those of the blends in real numbers, calculated in float32:
    the argmax of resized maps differs from them at most where its two largest
    values are so near each other that rounding decides.

    Args:
        logits (np.ndarray): Finite, (N, C, h, w). One map (C = 1) is the
            logit of label 1 against 0.
        size (tuple[int, int]): Height H and width W that they are resized to.
        align_corners (bool): As in ``torch.nn.functional.interpolate``.
            Defaults to False.
        threshold (float): Probability above which one map means label 1.
            Defaults to 0.5.
        crop (tuple[int, int], optional): Height and width of the upper left
            part that is wanted, where images were padded below and to the
            right. Defaults to None: all.

    Returns:
        np.ndarray: Labels (N, H, W), uint8, or int64 for more than 256
        classes.

    Raises:
        ValueError: If logits are not of this shape, or the crop is larger
            than the size.
    """
    crop = check(logits.shape, size, crop)
    logits = np.asarray(logits, np.float32)
    dtype = np.uint8 if logits.shape[1] <= 256 else np.int64
    if logits.shape[1] == 1:
        # sigmoid(x) > t, as the rival of a class that is constant
        with np.errstate(divide='ignore'):
            level = np.float32(np.log(threshold) - np.log1p(-threshold))
        logits = np.concatenate([np.full_like(logits, level), logits], 1)
    if tuple(size) == logits.shape[2:]:
        return np.stack([_argmax(one, dtype)
                         for one in logits])[:, :crop[0], :crop[1]]
    logits = np.ascontiguousarray(logits)
    rows = _axis(size[0], logits.shape[2], align_corners, crop[0])
    columns = _axis(size[1], logits.shape[3], align_corners, crop[1])
    return np.stack([_one_map(one, rows, columns, dtype) for one in logits])
