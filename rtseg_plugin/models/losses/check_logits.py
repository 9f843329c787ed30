from typing import Optional, Sequence

from torch import Tensor


def check_logits(cls_score: Tensor,
                 class_weight: Optional[Sequence[float]]) -> None:
    """Raise where a softmax cross entropy of logits makes no sense.

    Args:
        cls_score (Tensor): Logits of shape (N, C, H, W).
        class_weight (Sequence[float], optional): A weight for each class.

    Raises:
        ValueError: If there is one channel, or there are not as many weights
            as channels.
    """
    channels = cls_score.shape[1]
    if channels == 1:
        raise ValueError(
            'a softmax over one channel tells nothing apart: leave '
            'out_channels=1 of the head out, or take the CrossEntropyLoss '
            'with use_sigmoid=True')
    if class_weight is not None and len(class_weight) != channels:
        raise ValueError(f'class_weight holds {len(class_weight)} weights for '
                         f'{channels} classes')
