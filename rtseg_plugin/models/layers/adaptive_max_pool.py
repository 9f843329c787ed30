import torch
from torch import Tensor
from torch.nn import functional as F


def _exporting() -> bool:
    """Whether an exporter is tracing, of ONNX or of ``torch.export``."""
    # torch < 2.7 has no is_exporting
    is_exporting = getattr(torch.compiler, 'is_exporting', lambda: False)
    return is_exporting() or torch.onnx.is_in_onnx_export()


def _gather_max(x: Tensor, cells: int, dim: int) -> Tensor:
    """Maximum of ``cells`` cells along one dimension, by indices."""
    length = x.shape[dim]
    cell = torch.arange(cells, device=x.device)
    start = cell * length // cells
    end = ((cell + 1) * length + cells - 1) // cells
    # no cell is longer than this; shorter ones repeat their last position
    longest = (length + cells - 1) // cells + 1
    offset = torch.arange(longest, device=x.device)
    index = torch.minimum(start[:, None] + offset, end[:, None] - 1)
    # (..., cells * longest, ...) -> (..., cells, longest, ...)
    window = x.index_select(dim, index.flatten())
    return window.unflatten(dim, (cells, longest)).amax(dim + 1)


def adaptive_max_pool2d(x: Tensor, size: int) -> Tensor:
    """``F.adaptive_max_pool2d`` that also exports with dynamic sizes.

    torch's exporter turns the original, where the input's size is dynamic,
    into a pool with the fixed windows of the example input: right at that
    size, wrong at others. While exporting, rows and then columns are gathered
    by computed bounds instead; the numbers are the same. Cells reach from
    ``floor(i * n / size)`` to ``ceil((i + 1) * n / size)``, also where the
    input is smaller than ``size``.

    Args:
        x (Tensor): Feature of shape (N, C, H, W).
        size (int): Height and width of the output.

    Returns:
        Tensor: Shape (N, C, size, size).
    """
    if _exporting():
        return _gather_max(_gather_max(x, size, 2), size, 3)
    return F.adaptive_max_pool2d(x, size)
