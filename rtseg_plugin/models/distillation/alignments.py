"""Alignments: what of a student is made like what of a teacher, and how.

An alignment names tensors (see :mod:`.taps`), owns the projection between
them and the loss that compares them. It is a module of the student's
segmentor, trained and saved with it, and absent from inference.
"""
from typing import Dict, List, Optional, Sequence

import torch
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from ..layers.precision import float32_at_least
from .teacher import Teacher


def _resize_to(student: Tensor, target: Tensor) -> Tensor:
    """Bring a student's tensor to the height and width of the teacher's."""
    if student.shape[2:] == target.shape[2:]:
        return student
    return resize(
        student, size=target.shape[2:], mode='bilinear', align_corners=False)


def _check_channels(student: Tensor, teacher: Tensor, name: str) -> None:
    if student.shape[1] != teacher.shape[1]:
        raise ValueError(
            f'alignment {name!r}: the student has {student.shape[1]} channels '
            f'and the teacher {teacher.shape[1]}. Set in_channels='
            f'{student.shape[1]} and out_channels={teacher.shape[1]} to '
            'project the one to the other')


@MODELS.register_module()
class FeatureAlignment(BaseModule):
    """Direct alignment of one student tensor with one teacher tensor.

    The backbone feature alignment (BFA) of `SCTNet
    <https://arxiv.org/abs/2312.17071>`_, for any pair of networks: an
    optional 1x1 convolution at the student's own size, then the loss. The
    paper resizes before it projects; the official code (xzz777/SCTNet, MIT)
    does not resize, since the sizes agree. Here the student is resized
    bilinearly after the projection if they do not.

    Args:
        name (str): Name in the log, as ``align_{name}.{loss_name}``.
        student (str): Tensor of the student, for instance 'backbone:3'.
        teacher (str): Tensor of the teacher.
        loss (dict): Config of a loss called with student and teacher tensor.
        in_channels (int, optional): Channels of the student's tensor. None
            (default) for no projection.
        out_channels (int, optional): Channels of the teacher's tensor. None
            (default) for no projection.
    """

    def __init__(self,
                 name: str,
                 student: str,
                 teacher: str,
                 loss: dict,
                 in_channels: Optional[int] = None,
                 out_channels: Optional[int] = None):
        super().__init__()
        self.name = name
        self.student_taps = [student]
        self.teacher_taps = [teacher]
        if (in_channels is None) != (out_channels is None):
            raise ValueError(f'alignment {name!r}: in_channels and '
                             'out_channels come together or not at all')
        self.projection = None
        if in_channels is not None:
            self.projection = nn.Conv2d(in_channels, out_channels, 1)
        self.loss = MODELS.build(loss)

    def forward(self, student: Dict[str, Tensor], target: Dict[str, Tensor],
                teacher: Teacher) -> Dict[str, Tensor]:
        """Compare.

        Args:
            student (dict[str, Tensor]): The student's tensors by tap name,
                (N, C, H, W) each.
            target (dict[str, Tensor]): The teacher's, without gradient.
            teacher (Teacher): Not used.

        Returns:
            dict[str, Tensor]: The weighted loss by its name in the log.
        """
        x, t = student[self.student_taps[0]], target[self.teacher_taps[0]]
        if self.projection is not None:
            x = self.projection(x)
        _check_channels(x, t, self.name)
        # here and not before: what is not compared stays small
        loss = self.loss(float32_at_least(_resize_to(x, t)),
                         float32_at_least(t))
        return {f'align_{self.name}.{self.loss.loss_name}': loss}


@MODELS.register_module()
class SharedDecoderAlignment(BaseModule):
    """Sends the student's feature through the teacher's own decoder.

    The shared decoder head alignment (SDHA) of `SCTNet
    <https://arxiv.org/abs/2312.17071>`_, for any teacher: a 1x1 convolution
    and a resize bring the student's feature to the shape of what enters the
    teacher's decoder, a re-scaling gives every channel the mean and standard
    deviation that the teacher's has there, and after each of the decoder's
    modules student and teacher are compared. Those modules are frozen; the
    gradient passes through them.

    Follows the official code (xzz777/SCTNet, MIT) where the paper differs:
    the re-scaling is not in the paper, and only fusion layer and classifier
    are shared. Statistics are over the batch of the own process together.

    Args:
        student (str): Tensor of the student, for instance 'backbone:0'.
        in_channels (int): Its channels.
        out_channels (int): Channels of what enters the first module.
        decoder (Sequence[dict]): In order, the modules of the teacher, each
            ``dict(module=path, name=name in the log, loss=config)``.
        eps (float): Added to the student's deviation. Defaults to 1e-6.
    """

    def __init__(self,
                 student: str,
                 in_channels: int,
                 out_channels: int,
                 decoder: Sequence[dict],
                 eps: float = 1e-6):
        super().__init__()
        self.student_taps = [student]
        self.modules_of_teacher: List[str] = [d['module'] for d in decoder]
        self.names = [d['name'] for d in decoder]
        self.entry = f'{self.modules_of_teacher[0]}@input'
        self.teacher_taps = [self.entry, *self.modules_of_teacher]
        self.projection = nn.Conv2d(in_channels, out_channels, 1)
        if len(set(self.names)) != len(self.names):
            raise ValueError(f'two modules of a decoder have one name: '
                             f'{self.names}')
        self.losses = nn.ModuleList(MODELS.build(d['loss']) for d in decoder)
        self.eps = eps

    def _rescale(self, x: Tensor, target: Tensor) -> Tensor:
        """Give each channel of x the mean and deviation of target's.

        As batch norms, whose kernels are several times as fast as
        ``std_mean`` and the arithmetic: the first one only for target's
        statistics, which it leaves in ``mean`` and ``var``.
        """
        dtype = torch.promote_types(target.dtype, torch.float32)
        mean, var = target.new_zeros(
            2, target.shape[1], dtype=dtype).unbind()
        batch_norm(target, mean, var, training=True, momentum=1.)
        # a norm divides by the biased deviation
        count = x.numel() // x.shape[1]
        std = (var * (1 - 1 / count)).sqrt()
        return batch_norm(
            x, None, None, std, mean, training=True, eps=self.eps**2)

    def forward(self, student: Dict[str, Tensor], target: Dict[str, Tensor],
                teacher: Teacher) -> Dict[str, Tensor]:
        """Decode the student's feature with the teacher's decoder, compare.

        Args:
            student (dict[str, Tensor]): The student's tensors by tap name,
                (N, C, H, W) each.
            target (dict[str, Tensor]): The teacher's, without gradient.
            teacher (Teacher): Owns the decoder.

        Returns:
            dict[str, Tensor]: One weighted loss per module of the decoder,
            by its name in the log.
        """
        entry = target[self.entry]
        x = self.projection(student[self.student_taps[0]])
        _check_channels(x, entry, self.names[0])
        x = self._rescale(_resize_to(x, entry), entry)
        losses = {}
        for path, name, loss in zip(self.modules_of_teacher, self.names,
                                    self.losses):
            x = teacher.module(path)(x)
            losses[f'align_{name}.{loss.loss_name}'] = loss(
                float32_at_least(x), float32_at_least(target[path]))
        return losses
