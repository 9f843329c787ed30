import math
from typing import Optional, Sequence

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from .check_logits import check_logits


@MODELS.register_module()
class HardExampleCrossEntropyLoss(nn.Module):
    """Cross entropy averaged over the hardest pixels of the batch.

    Where more than ``n_min`` pixels of the batch have a loss above
    ``-ln(threshold)``, the mean of all these; elsewhere the mean of the
    ``n_min`` largest losses.

    The loss with which `FANet <https://arxiv.org/abs/2007.03815>`_ (official
    repository feinanshan/FANet, MIT) and GAIN (hustvl/simpleseg) are trained;
    neither article describes it, this follows the codes. It differs from
    both of the host's: ``OHEMPixelSampler`` divides by all pixels instead of
    the kept ones, ``OhemCrossEntropy`` counts without the ignored pixels.
    Here an ignored pixel has a loss of zero and stays in the list, so a batch
    of nothing else has a loss of zero.

    The defaults are those of FANet: a sixteenth of the pixels. GAIN has
    ``min_kept_per_image=100000``.

    Args:
        threshold (float): Probability of the true class below which a pixel
            is hard, in (0, 1]. Defaults to 0.7.
        min_kept_per_image (int, optional): ``n_min`` as this many pixels
            times the images of the batch. Excludes ``min_kept_ratio``.
            Defaults to None.
        min_kept_ratio (float, optional): ``n_min`` as a share of the pixels
            of the batch, in (0, 1). Defaults to None: 1/16 if
            ``min_kept_per_image`` is not given either.
        loss_weight (float): Factor of the loss. Defaults to 1.0.
        loss_name (str): Name in the dict of losses; the prefix ``loss_`` puts
            it into the sum that is minimised. Defaults to 'loss_ohem'.
        class_weight (Sequence[float], optional): A factor of the losses of
            each class, before the selection; neither network has any.
            Defaults to None.
    """

    def __init__(self,
                 threshold: float = 0.7,
                 min_kept_per_image: Optional[int] = None,
                 min_kept_ratio: Optional[float] = None,
                 loss_weight: float = 1.0,
                 loss_name: str = 'loss_ohem',
                 class_weight: Optional[Sequence[float]] = None):
        super().__init__()
        if not 0 < threshold <= 1:
            raise ValueError(f'threshold is a probability in (0, 1], got '
                             f'{threshold}')
        if min_kept_per_image is None and min_kept_ratio is None:
            min_kept_ratio = 1 / 16
        elif min_kept_per_image is not None and min_kept_ratio is not None:
            raise ValueError('give min_kept_per_image or min_kept_ratio, not '
                             'both')
        if min_kept_ratio is not None and not 0 < min_kept_ratio < 1:
            raise ValueError(f'min_kept_ratio is a share in (0, 1), got '
                             f'{min_kept_ratio}')
        if min_kept_per_image is not None and min_kept_per_image < 1:
            raise ValueError(f'min_kept_per_image is at least 1, got '
                             f'{min_kept_per_image}')
        self.threshold = threshold
        self.min_kept_per_image = min_kept_per_image
        self.min_kept_ratio = min_kept_ratio
        self.class_weight = class_weight and list(class_weight)
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def _min_kept(self, label: Tensor) -> int:
        """``n_min`` for a batch of labels, or an error if it is too small."""
        pixels = label.numel()
        if self.min_kept_per_image is None:
            # a ratio such as 100000 / 1024**2 must not lose one to rounding
            return max(math.floor(pixels * self.min_kept_ratio + 1e-6), 1)
        min_kept = self.min_kept_per_image * len(label)
        if min_kept >= pixels:
            raise ValueError(
                f'min_kept_per_image={self.min_kept_per_image} leaves nothing '
                f'to select: the images have {pixels // len(label)} pixels '
                f'({" x ".join(map(str, label.shape[1:]))}). Train on larger '
                'crops or keep fewer, for instance min_kept_ratio=1/16')
        return min_kept

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
            weight (Tensor, optional): Factors of the losses of the pixels, of
                the shape of ``label``, before the selection.
            ignore_index (int): Label of the pixels without a class.
            **kwargs: Not used, as in the host's losses.

        Returns:
            Tensor: The loss, a scalar.

        Raises:
            ValueError: If the batch has no more pixels than are to be kept
                at least, there are not as many weights as classes, or there
                is one channel.
        """
        check_logits(cls_score, self.class_weight)
        min_kept = self._min_kept(label)
        scale = None
        if self.class_weight is not None:
            scale = cls_score.new_tensor(self.class_weight)
        losses = F.cross_entropy(
            cls_score, label, scale, reduction='none',
            ignore_index=ignore_index)
        if weight is not None:
            losses = losses * weight
        losses = losses.flatten()
        # Counting the hard pixels tells what sorting all of them would: the
        # loss at index n_min is above the threshold if more than n_min are.
        hard = losses[losses > -math.log(self.threshold)]
        if hard.numel() <= min_kept:
            hard = losses.topk(min_kept, sorted=False).values
        return self.loss_weight * hard.mean()
