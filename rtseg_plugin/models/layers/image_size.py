from torch import Tensor, nn

from .tracing import is_tracing


def check_image_size(x: Tensor, backbone: nn.Module) -> None:
    """Raise if an image is smaller than the stride of a backbone.

    Its last feature would be one pixel, made mostly of padding. While tracing
    or compiling nothing is checked: there sizes are no plain numbers.

    Args:
        x (Tensor): Images (N, C, H, W).
        backbone (nn.Module): With an attribute ``total_stride``, of its
            coarsest feature.

    Raises:
        ValueError: If a side is shorter than that.
    """
    if is_tracing(x):
        return
    height, width = x.shape[2:]
    stride = backbone.total_stride
    if height < stride or width < stride:
        raise ValueError(
            f'{type(backbone).__name__} reduces images by a factor of '
            f'{stride} and needs at least {stride}x{stride} pixels, got '
            f'{height}x{width}: enlarge or pad the images')
