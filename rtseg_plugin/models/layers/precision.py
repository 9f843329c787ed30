"""Regions of full precision under autocast."""
from contextlib import nullcontext
from typing import ContextManager

import torch
from torch import Tensor


def full_precision(tensor: Tensor) -> ContextManager:
    """Context without autocast for ``tensor``'s device.

    Nothing where autocast is off, so that an exported graph holds no trace.

    Args:
        tensor (Tensor): What is computed with.

    Returns:
        ContextManager: To be entered around the computation.
    """
    device = tensor.device.type
    if torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()


def float32_at_least(x: Tensor) -> Tensor:
    """A tensor of half precision in float32, any other as it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def float32_matmul(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product in float32 at least, also under autocast.

    For energies without a scale, which leave the range of float16.
    """
    a, b = float32_at_least(a), float32_at_least(b)
    with full_precision(a):
        return torch.matmul(a, b)
