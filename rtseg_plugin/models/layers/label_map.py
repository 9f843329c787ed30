from typing import Optional, Tuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ...utils import label_map as on_cpu

# Classes that are resized at a time where memory is fast and calls are slow.
_CLASSES = 16


def label_map(logits: Tensor,
              size: Tuple[int, int],
              align_corners: bool = False,
              threshold: float = 0.5,
              crop: Optional[Tuple[int, int]] = None) -> Tensor:
    """Argmax of bilinearly resized logits, without all the resized maps.

    On a CPU :func:`rtseg_plugin.utils.label_map.label_map`, which blends only
    at borders between classes; elsewhere a running maximum over groups of
    classes, which waits for nothing on the host.

    Args:
        logits (Tensor): Finite, (N, C, h, w). One map (C = 1) is the logit of
            label 1 against 0.
        size (tuple[int, int]): Height H and width W that they are resized to.
        align_corners (bool): As in ``torch.nn.functional.interpolate``.
            Defaults to False.
        threshold (float): Probability above which one map means label 1.
            Defaults to 0.5.
        crop (tuple[int, int], optional): Height and width of the upper left
            part that is wanted. Defaults to None: all.

    Returns:
        Tensor: Labels (N, H, W), uint8, or int64 for more than 256 classes,
        on the device of the logits. Of equal classes the first, as
        ``torch.argmax``.

    Raises:
        ValueError: If logits are not of this shape, or the crop is larger
            than the size.
    """
    size = tuple(size)
    if logits.device.type == 'cpu':
        return torch.from_numpy(
            on_cpu.label_map(logits.detach().float().numpy(), size,
                             align_corners, threshold, crop))
    crop = on_cpu.check(tuple(logits.shape), size, crop)
    return _by_groups(logits.detach().float(), size, align_corners,
                      threshold)[:, :crop[0], :crop[1]]


def _by_groups(logits: Tensor, size: Tuple[int, int], align_corners: bool,
               threshold: float) -> Tensor:
    """Labels (N, H, W) of logits (N, C, h, w), a few classes at a time."""
    dtype = torch.uint8 if logits.shape[1] <= 256 else torch.int64
    best = labels = None
    for first in range(0, logits.shape[1], _CLASSES):
        value = F.interpolate(
            logits[:, first:first + _CLASSES],
            size=size,
            mode='bilinear',
            align_corners=align_corners)
        if logits.shape[1] == 1:
            return (value[:, 0].sigmoid() > threshold).to(dtype)
        value, label = value.max(1)
        label = (label + first).to(dtype)
        if best is not None:
            won = value > best
            value = torch.where(won, value, best)
            label = torch.where(won, label, labels)
        best, labels = value, label
    return labels
