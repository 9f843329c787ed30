import math

import torch
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

_MIN_VARIANCE = 1e-5


@MODELS.register_module()
class VariationalInformationLoss(nn.Module):
    """Mutual information of student and teacher by variational estimation.

    The student predicts the mean of a Gaussian at every position of the
    teacher's feature, by a small 1x1 network, and one learnt variance per
    channel; the loss is the negative log likelihood without its constant,
    mean over all elements. Maximising the likelihood maximises a lower bound
    of the mutual information.

    Papers: `Variational Information Distillation for Knowledge Transfer
    <https://arxiv.org/abs/1904.05835>`_ (equations 4 to 6), row MI of Table
    9a of `SCTNet <https://arxiv.org/abs/2312.17071>`_, whose official code
    has no such loss. Its parameters train with the student and are not part
    of the inference network.

    Args:
        channels (int): Channels C of both tensors.
        init_variance (float): Variance at the start. Defaults to 5.
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_vid'.
    """

    def __init__(self,
                 channels: int,
                 init_variance: float = 5.,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_vid'):
        super().__init__()
        self.mean = nn.Sequential(
            nn.Conv2d(channels, channels, 1), nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 1))
        # softplus(scale) + _MIN_VARIANCE is the variance
        self.scale = nn.Parameter(
            torch.full((channels, ),
                       math.log(math.expm1(init_variance - _MIN_VARIANCE))))
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """(N, C, H, W) student and teacher -> weighted scalar."""
        variance = F.softplus(self.scale) + _MIN_VARIANCE
        variance = variance.view(1, -1, 1, 1)
        error = (self.mean(student) - teacher).square()
        likelihood = 0.5 * (error / variance + variance.log())
        return self.loss_weight * likelihood.mean()
