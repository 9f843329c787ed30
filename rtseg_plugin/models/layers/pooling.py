"""Adaptive pooling that exports with dynamic sizes."""
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .tracing import is_exporting


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
    if is_exporting():
        return _gather_max(_gather_max(x, size, 2), size, 3)
    return F.adaptive_max_pool2d(x, size)


def bin_means(length: int, bins: int, like: Tensor) -> Tensor:
    """Matrix (bins, length) that averages as adaptive pooling does."""
    index = torch.arange(bins, device=like.device).unsqueeze(1)
    start = index * length // bins
    end = ((index + 1) * length + bins - 1) // bins
    position = torch.arange(length, device=like.device)
    inside = (position >= start) & (position < end)
    return inside.to(like.dtype) / (end - start).to(like.dtype)


def adaptive_average_pool(x: Tensor, bins: int) -> Tensor:
    """``adaptive_avg_pool2d`` as two matrix products.

    The ONNX exporter freezes the pooling of ``adaptive_avg_pool2d`` at the
    size it was exported with; this follows the input.

    Args:
        x (Tensor): Feature of shape (N, C, H, W).
        bins (int): Bins B along each side.

    Returns:
        Tensor: Of shape (N, C, B, B).
    """
    h, w = x.shape[2:]
    return bin_means(h, bins, x) @ x @ bin_means(w, bins, x).t()


class _AdaptiveAvgPool2d(nn.AdaptiveAvgPool2d):
    """torch's own, but for what an exporter makes of it."""

    def forward(self, x: Tensor) -> Tensor:
        if is_exporting():
            return adaptive_average_pool(x, self.output_size)
        return super().forward(x)


def let_pools_follow(network: nn.Module) -> None:
    """Make a network's adaptive average pools export with free sizes.

    Square ones, such as those of the host's PSPNet and Fast-SCNN. The numbers
    stay, to the bit where nothing is exported.

    Args:
        network (nn.Module): Changed in place.
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            # a mean of all exports as it is
            if (type(child) is nn.AdaptiveAvgPool2d
                    and isinstance(child.output_size, int)
                    and child.output_size > 1):
                setattr(module, name, _AdaptiveAvgPool2d(child.output_size))
