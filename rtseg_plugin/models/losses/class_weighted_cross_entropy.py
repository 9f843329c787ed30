from typing import Optional, Sequence

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from .check_logits import check_logits


@MODELS.register_module()
class ClassWeightedCrossEntropyLoss(nn.Module):
    """Cross entropy with a weight per class, where pixels may have no class.

    The weighted mean over the pixels that have a class, as
    ``torch.nn.functional.cross_entropy(weight=..., ignore_index=...)`` has
    it, and zero where no pixel has one. The host's ``CrossEntropyLoss`` looks
    class weights up by label without leaving the ignored ones out
    (``IndexError: index 255 is out of bounds``), and padding alone brings
    these in.

    Args:
        class_weight (Sequence[float]): A weight for each class.
        loss_weight (float): Factor of the loss. Defaults to 1.0.
        loss_name (str): Name in the dict of losses; the prefix ``loss_`` puts
            it into the sum that is minimised. Defaults to 'loss_ce'.
    """

    def __init__(self,
                 class_weight: Sequence[float],
                 loss_weight: float = 1.0,
                 loss_name: str = 'loss_ce'):
        super().__init__()
        if min(class_weight) < 0 or max(class_weight) <= 0:
            raise ValueError('class_weight holds positive numbers, got '
                             f'{list(class_weight)}')
        self.class_weight = list(class_weight)
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self,
                cls_score: Tensor,
                label: Tensor,
                weight: Optional[Tensor] = None,
                ignore_index: int = 255,
                **kwargs) -> Tensor:
        """Loss of a batch.

        Args:
            cls_score (Tensor): Logits of shape (N, C, H, W).
            label (Tensor): Class numbers of shape (N, H, W).
            weight (Tensor, optional): Further factors of the pixels' losses,
                of the shape of ``label``.
            ignore_index (int): Label of the pixels without a class.
            **kwargs: Not used, as in the host's losses.

        Returns:
            Tensor: The loss, a scalar.

        Raises:
            ValueError: If there are not as many weights as classes, or one
                channel.
        """
        check_logits(cls_score, self.class_weight)
        # half precision has too few digits for weights and sums
        dtype = torch.promote_types(cls_score.dtype, torch.float32)
        scale = torch.tensor(
            self.class_weight, dtype=dtype, device=cls_score.device)
        losses = F.cross_entropy(
            cls_score.to(dtype), label, scale, reduction='none',
            ignore_index=ignore_index)
        if weight is not None:
            losses = losses * weight
        total = scale[label[label != ignore_index]].sum()
        # nothing to divide by where no pixel has a class
        total = total.clamp(min=torch.finfo(dtype).eps)
        return self.loss_weight * losses.sum() / total
