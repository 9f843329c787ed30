"""Faster forms of two host operations, for eager inference on a CPU.

The numbers are the same up to rounding. Training, a GPU, tracing and export
get the plain operations: there others fuse better than this could.
"""
import torch
from mmcv.cnn.bricks.conv_module import efficient_conv_bn_eval_forward
from mmengine.utils.dl_utils.parrots_wrapper import _BatchNorm
from mmseg.models.utils import resize
from torch import Tensor, nn
from torch.nn import functional as F


def is_eager_cpu_inference(x: Tensor) -> bool:
    """Whether x is on a CPU, needs no gradient and nothing is traced."""
    return (x.device.type == 'cpu' and not torch.is_grad_enabled()
            and not torch.jit.is_tracing()
            and not torch.compiler.is_compiling())


def _is_watched(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)


def conv_norm(conv: nn.Conv2d, norm: nn.Module, x: Tensor) -> Tensor:
    """Convolution and norm; a batch norm in eval mode joins the weights.

    Scaling the weights anew costs far less than a pass over the feature, and
    leaves no copy behind that could be out of date. Where a hook waits for
    either module, both are called, so that taps and profilers see them.

    Args:
        conv (nn.Conv2d): The convolution.
        norm (nn.Module): The norm of its output.
        x (Tensor): Feature (N, C, H, W).

    Returns:
        Tensor: The normalised output of the convolution.
    """
    if (isinstance(norm, _BatchNorm) and not norm.training
            and is_eager_cpu_inference(x)
            and not (_is_watched(conv) or _is_watched(norm))):
        return efficient_conv_bn_eval_forward(norm, conv, x)
    return norm(conv(x))


def upsample_logits(logits: Tensor,
                    size: torch.Size,
                    align_corners: bool = False) -> Tensor:
    """Bilinear resize of logits to the size of the image.

    For a whole factor the rows between two rows are blends of these, so after
    a resize of the width one vectorised blend writes the result, where the
    general operation looks its four sources up for every pixel.

    Args:
        logits (Tensor): (N, C, h, w).
        size (torch.Size | tuple[int, int]): Height H and width W wanted.
        align_corners (bool): As in ``torch.nn.functional.interpolate``.

    Returns:
        Tensor: (N, C, H, W).
    """
    plain = align_corners or not is_eager_cpu_inference(logits)
    height, width = logits.shape[2:]
    if not plain:  # sizes are no numbers while tracing
        factor = size[0] // height
        plain = factor < 2 or factor % 2 or size[0] != factor * height
    if plain:
        # the host's warning would turn the sizes of a traced graph to numbers
        return resize(
            logits,
            size=size,
            mode='bilinear',
            align_corners=align_corners,
            warning=False)
    if size[1] != width:
        logits = resize(
            logits.contiguous(),
            size=(height, size[1]),
            mode='bilinear',
            align_corners=False)
    # one row more at either end, as the border repeats
    rows = F.pad(logits, (0, 0, 1, 1), mode='replicate')
    weight = (torch.arange(factor, dtype=logits.dtype) + 0.5) / factor
    # (N, C, h + 1, factor, W)
    blended = torch.lerp(rows[:, :, :-1, None], rows[:, :, 1:, None],
                         weight.view(1, 1, 1, factor, 1))
    # half a step of the blend lies outside of the image at either end
    return blended.flatten(2, 3).narrow(2, factor // 2, size[0])
