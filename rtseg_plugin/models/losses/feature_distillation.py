from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


@MODELS.register_module()
class L2DistillationLoss(nn.Module):
    """Mean squared difference of two feature maps.

    Row L2 of Table 9a of `SCTNet <https://arxiv.org/abs/2312.17071>`_, a rival
    of the channel-wise loss; official code has none, so the plain definition
    is taken.

    Args:
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_l2'.
    """

    def __init__(self, loss_weight: float = 1., loss_name: str = 'loss_l2'):
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """(N, C, H, W) student and teacher -> weighted scalar."""
        return self.loss_weight * F.mse_loss(student, teacher)


@MODELS.register_module()
class KLDistillationLoss(nn.Module):
    """Divergence of the distributions over the channels, per position.

    Row KL of Table 9a of `SCTNet <https://arxiv.org/abs/2312.17071>`_: the
    classic distillation loss (https://arxiv.org/abs/1503.02531) at every
    pixel, softmax over the channels with temperature, mean over samples and
    positions, times the square of the temperature. Official code has none.

    Args:
        temperature (float): Of the softmax. Defaults to 4.
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_kl'.
    """

    def __init__(self,
                 temperature: float = 4.,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_kl'):
        super().__init__()
        self.temperature = temperature
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """(N, C, H, W) student and teacher -> weighted scalar."""
        log_p = (teacher / self.temperature).log_softmax(1)
        log_q = (student / self.temperature).log_softmax(1)
        divergence = (log_p.exp() * (log_p - log_q)).sum(1).mean()
        return self.loss_weight * self.temperature**2 * divergence
