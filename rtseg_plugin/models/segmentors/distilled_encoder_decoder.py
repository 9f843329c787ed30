from typing import List, Optional

from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.utils import ConfigType, OptConfigType, OptMultiConfig, SampleList
from torch import Tensor, nn

from ..distillation.taps import Tap, parse_tap, record
from ..distillation.teacher import Teacher
from ..layers.image_size import check_image_size
from .fast_postprocess import FastPostprocess


@MODELS.register_module()
class DistilledEncoderDecoder(FastPostprocess, EncoderDecoder):
    """``EncoderDecoder`` with a teacher that exists only while it trains.

    The training scheme of `SCTNet <https://arxiv.org/abs/2312.17071>`_
    (semantic information alignment module), for any student, any teacher and
    any loss. At inference this is ``EncoderDecoder``: the teacher is built
    when training starts (``init_weights``, or the first loss), never for
    tests, and is no submodule: checkpoints, EMA, DDP and the optimiser do not
    see it. The projections of the alignments are trained and saved.

    Args:
        teacher (dict): ``config``, a model config or the path of a config
            file, and ``checkpoint``; see :class:`.Teacher`.
        alignments (list[dict]): Configs of alignments, for instance
            ``FeatureAlignment`` and ``SharedDecoderAlignment``. An alignment
            module has ``student_taps``, ``teacher_taps`` and is called with
            both networks' tensors and the teacher.
        backbone (dict): See ``EncoderDecoder``, as everything below.
        decode_head (dict): See ``EncoderDecoder``.
        neck (dict, optional): See ``EncoderDecoder``.
        auxiliary_head (dict | list[dict], optional): See ``EncoderDecoder``.
        train_cfg (dict, optional): See ``EncoderDecoder``.
        test_cfg (dict, optional): See ``EncoderDecoder``.
        data_preprocessor (dict, optional): See ``EncoderDecoder``.
        pretrained (str, optional): See ``EncoderDecoder``.
        init_cfg (dict | list[dict], optional): See ``EncoderDecoder``.

    Raises:
        ValueError: If an alignment names a tensor that does not exist.
    """

    def __init__(self,
                 teacher: ConfigType,
                 alignments: List[dict],
                 backbone: ConfigType,
                 decode_head: ConfigType,
                 neck: OptConfigType = None,
                 auxiliary_head: OptConfigType = None,
                 train_cfg: OptConfigType = None,
                 test_cfg: OptConfigType = None,
                 data_preprocessor: OptConfigType = None,
                 pretrained: Optional[str] = None,
                 init_cfg: OptMultiConfig = None):
        super().__init__(
            backbone=backbone,
            decode_head=decode_head,
            neck=neck,
            auxiliary_head=auxiliary_head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            pretrained=pretrained,
            init_cfg=init_cfg)
        self.teacher = Teacher(**teacher)
        self.alignments = nn.ModuleList(
            MODELS.build(alignment) for alignment in alignments)
        self._student_taps = self._unique(
            parse_tap(name, self, 'student') for alignment in self.alignments
            for name in alignment.student_taps)
        self._teacher_taps: Optional[List[Tap]] = None

    @staticmethod
    def _unique(taps) -> List[Tap]:
        return list(dict.fromkeys(taps))

    def init_weights(self) -> None:
        """Initialise the student and load the teacher.

        The runner calls this when it trains and only then, so a teacher that
        cannot be had stops the run before the first batch.
        """
        super().init_weights()
        self._prepare_teacher()

    def _prepare_teacher(self) -> List[Tap]:
        """Build the teacher and look up what the alignments name in it."""
        if self._teacher_taps is None:
            self.teacher.take_images_of(self.data_preprocessor)
            self._teacher_taps = self._unique(
                tap for alignment in self.alignments
                for tap in self.teacher.parse_taps(alignment.teacher_taps))
        return self._teacher_taps

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """Losses of the heads, and of the alignments.

        Args:
            inputs (Tensor): Images of shape (N, 3, H, W).
            data_samples (list[SegDataSample]): With ``gt_sem_seg``.

        Returns:
            dict[str, Tensor]: Those of ``EncoderDecoder`` and the weighted
            terms of the alignments, whose names start with 'align'.

        Raises:
            ValueError: If an image is smaller than the student's stride, for
                the backbones of this package; if two alignments give a loss
                of one name.
        """
        if hasattr(self.backbone, 'total_stride'):
            # before the teacher, which might fail with less clear words
            check_image_size(inputs, self.backbone)
        target = self.teacher.forward(inputs, self._prepare_teacher())
        with record(self, self._student_taps, 'student') as student:
            losses = super().loss(inputs, data_samples)
        for alignment in self.alignments:
            terms = alignment(student, target, self.teacher)
            twice = sorted(losses.keys() & terms.keys())
            if twice:
                raise ValueError(
                    f'two losses are named {twice[0]!r}, one of them would '
                    'be lost: give each alignment a name of its own')
            losses.update(terms)
        return losses
