"""Counting multiply-adds with mmengine, fused attention among them."""
from typing import Any, List

import torch
from mmengine.analysis import FlopAnalyzer
from mmengine.analysis.jit_handles import get_shape
from torch import Tensor, nn


def _fused_attention(inputs: List[Any], outputs: List[Any]) -> int:
    """Both products of ``scaled_dot_product_attention``."""
    query, _, value = (get_shape(x) for x in inputs[:3])
    # (..., L, E) with (..., S, E) and (..., S, Ev)
    return (torch.Size(query).numel() * value[-2]
            + torch.Size(query[:-1]).numel() * value[-2] * value[-1])


def count_multiply_adds(network: nn.Module, x: Tensor) -> FlopAnalyzer:
    """Count the multiply-adds of a network.

    mmengine's counter passes fused attention over as an unsupported operator.

    Args:
        network (nn.Module): Takes an image.
        x (Tensor): The image, (N, C, H, W).

    Returns:
        FlopAnalyzer: ``total()`` is the number.
    """
    analyzer = FlopAnalyzer(network, (x, ))
    return analyzer.set_op_handle(
        **{'aten::scaled_dot_product_attention': _fused_attention})
