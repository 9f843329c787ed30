from mmseg.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class ChannelWiseDistillationLoss(nn.Module):
    """Divergence of channel-wise distributions over the positions (CWD).

    Every channel becomes a distribution over the H*W positions by a softmax
    with temperature; the loss is the Kullback-Leibler divergence of the
    student's from the teacher's, summed over positions, averaged over samples
    and channels and times the square of the temperature.

    Papers: `Channel-wise Knowledge Distillation for Dense Prediction
    <https://arxiv.org/abs/2011.13256>`_, `SCTNet
    <https://arxiv.org/abs/2312.17071>`_ (row CWD of Table 9a). The SCTNet
    paper divides by the channels only; this follows the official code
    (xzz777/SCTNet, MIT), which divides by the batch size as well.

    Args:
        temperature (float): Of the softmax. Defaults to 4.
        loss_weight (float): Factor of the loss. Defaults to 1.
        loss_name (str): Name in the log. Defaults to 'loss_cwd'.
    """

    def __init__(self,
                 temperature: float = 4.,
                 loss_weight: float = 1.,
                 loss_name: str = 'loss_cwd'):
        super().__init__()
        self.temperature = temperature
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compare two tensors of shape (N, C, H, W).

        Args:
            student (Tensor): Receives the gradient.
            teacher (Tensor): The target, without gradient.

        Returns:
            Tensor: The weighted loss, a scalar.
        """
        n, c = student.shape[:2]
        # (N, C, H, W) -> (N, C, H * W)
        log_p = (teacher.flatten(2) / self.temperature).log_softmax(-1)
        log_q = (student.flatten(2) / self.temperature).log_softmax(-1)
        divergence = (log_p.exp() * (log_p - log_q)).sum()
        scale = self.loss_weight * self.temperature**2 / (n * c)
        return scale * divergence
