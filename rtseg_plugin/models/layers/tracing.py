"""Who runs a forward: plain eager code, or somebody who writes it down."""
import torch
from torch import Tensor
from torch.fx import Proxy


def is_tracing(x: Tensor) -> bool:
    """Whether a forward is being written down: traced, compiled or exported.

    Sizes are no plain numbers then, and a decision that is made on them holds
    for good.

    Args:
        x (Tensor): What is computed with; a placeholder under ``torch.fx``.

    Returns:
        bool: Whether it is so.
    """
    return (isinstance(x, Proxy) or torch.jit.is_tracing()
            or torch.compiler.is_compiling() or is_exporting())


def is_exporting() -> bool:
    """Whether an exporter runs the forward: ONNX, or ``torch.export``.

    Returns:
        bool: Whether it is so; no for ``torch.compile`` and ``jit.trace``.
    """
    return torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export()
