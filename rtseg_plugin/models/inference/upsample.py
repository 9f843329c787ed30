from typing import List, Sequence

import torch
from mmseg.models.utils import resize
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.tracing import is_tracing


def upsample_logits(logits: Tensor,
                    size: Sequence[int],
                    align_corners: bool = False) -> Tensor:
    """Bilinear resize of logits to the size of the image, fast on a CPU.

    For a whole factor the rows between two rows are blends of these, so after
    a resize of the width one vectorised blend writes the result, where the
    general operation looks its four sources up for every pixel. The numbers
    are those of ``torch.nn.functional.interpolate`` up to rounding.

    Args:
        logits (Tensor): (N, C, h, w).
        size (Sequence[int]): Height H and width W wanted.
        align_corners (bool): As in ``torch.nn.functional.interpolate``.

    Returns:
        Tensor: (N, C, H, W).
    """
    eager = logits.device.type == 'cpu' and not is_tracing(logits)
    if eager and tuple(size) == tuple(logits.shape[2:]):
        return logits
    if eager:
        # the general operation, too, is slower in the other layout
        logits = logits.contiguous()
    height, width = logits.shape[2:]
    fast = eager and not align_corners and not torch.is_grad_enabled()
    if fast:  # sizes are no numbers while tracing
        factor = size[0] // height
        fast = (factor >= 2 and factor % 2 == 0
                and size[0] == factor * height)
    if not fast:
        # the host's warning would turn the sizes of a traced graph to numbers
        return resize(
            logits,
            size=tuple(size),
            mode='bilinear',
            align_corners=align_corners,
            warning=False)
    if size[1] != width:
        logits = resize(
            logits,
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


def predict_by_feat(head: nn.Module, seg_logits: Tensor,
                    batch_img_metas: List[dict]) -> Tensor:
    """``BaseDecodeHead.predict_by_feat`` with :func:`upsample_logits`.

    Args:
        head (nn.Module): The decode head.
        seg_logits (Tensor): (N, num_classes, h, w).
        batch_img_metas (list[dict]): ``pad_shape``, or ``img_shape``, of the
            first is the size wanted.

    Returns:
        Tensor: (N, num_classes, H, W).
    """
    meta = batch_img_metas[0]
    size = meta['img_shape']
    if not isinstance(size, torch.Size) and 'pad_shape' in meta:
        size = meta['pad_shape']  # no sliding window
    return upsample_logits(seg_logits, size[:2], head.align_corners)


def resize_logits(head: nn.Module, logits: Tensor,
                  size: Sequence[int]) -> Tensor:
    """Resize logits the way of a head: plain, or of its inference form.

    Args:
        head (nn.Module): A decode head of MMSegmentation.
        logits (Tensor): What it returned, (N, C, h, w).
        size (Sequence[int]): Height H and width W wanted.

    Returns:
        Tensor: (N, C, H, W).
    """
    if 'predict_by_feat' in vars(head):
        return upsample_logits(logits, size, head.align_corners)
    return resize(
        logits,
        size=size,
        mode='bilinear',
        align_corners=head.align_corners,
        warning=False)
