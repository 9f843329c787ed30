from typing import Optional, Sequence, Tuple

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..layers import conv_norm_act


@MODELS.register_module()
class GAINeck(BaseModule):
    """Guided attentive interpolation over the pyramid of any backbone.

    Every feature gets a lateral layer (conv 1x1 - norm - act), the coarsest
    ones a context. One feature is the guide: each coarser one is brought to
    its resolution by an interpolation of its own, finer ones pass.

    Paper: `Cross-Layer Attentive Feature Upsampling for Low-latency Semantic
    Segmentation <https://arxiv.org/abs/2601.01167>`_ (GAIN). Official
    repository: hustvl/simpleseg (no licence file), which this follows. With
    ``in_channels=(64, 128, 256, 512)``, ``guide_index=1`` and
    ``context=dict(type='GlobalAverageContext')`` it is the neck of GAIN-R18.

    Args:
        in_channels (Sequence[int]): Channels of the features of the backbone,
            finest first.
        channels (int): Channels of all outputs. Defaults to 128.
        guide_index (int): Which feature guides. Defaults to 0.
        in_indices (Sequence[int], optional): Which features of the backbone
            to take. Defaults to None: all.
        interpolation (dict): Config of the interpolations, built with
            ``channels``, ``norm_cfg``, ``act_cfg`` and ``align_corners``; the
            rows of the ablations. Defaults to
            dict(type='GuidedAttentiveInterpolation').
        context (dict, optional): Config of the context, built likewise:
            :class:`.GlobalAverageContext` or :class:`.PyramidPoolingContext`.
            Defaults to None.
        num_contexts (int): How many features get a context, counted from the
            coarsest. Defaults to 1.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        act_cfg (dict): Activations. Defaults to
            dict(type='ReLU', inplace=True).
        align_corners (bool): Of all resizes. Defaults to False.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation,
            as official.

    Raises:
        ValueError: If the guide is none of the features, none is coarser, or
            more contexts are asked for than there are coarser features.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int = 128,
        guide_index: int = 0,
        in_indices: Optional[Sequence[int]] = None,
        interpolation: dict = dict(type='GuidedAttentiveInterpolation'),
        context: Optional[dict] = None,
        num_contexts: int = 1,
        norm_cfg: dict = dict(type='BN'),
        act_cfg: dict = dict(type='ReLU', inplace=True),
        align_corners: bool = False,
        init_cfg: dict = None):
        super().__init__(init_cfg)
        coarser = len(in_channels) - 1 - guide_index
        if guide_index < 0 or coarser < 1:
            raise ValueError(
                'guide_index must be the index of a feature with a coarser '
                f'one behind it, 0 to {len(in_channels) - 2} for '
                f'{len(in_channels)} features, got {guide_index}')
        if in_indices is not None and len(in_indices) != len(in_channels):
            raise ValueError('in_indices must have an entry for each of '
                             f'{len(in_channels)} in_channels, got '
                             f'{tuple(in_indices)}')
        if context is not None and not 1 <= num_contexts <= coarser:
            raise ValueError(f'num_contexts must be 1 to {coarser}, the '
                             'number of coarser features, got '
                             f'{num_contexts}')
        self.in_channels = tuple(in_channels)
        self.in_indices = None if in_indices is None else tuple(in_indices)
        self.guide_index = guide_index
        common = dict(
            channels=channels,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            align_corners=align_corners)
        self.laterals = nn.ModuleList(
            conv_norm_act(c, channels, norm_cfg=norm_cfg, act_cfg=act_cfg)
            for c in in_channels)
        # aligned with the last features
        self.contexts = nn.ModuleList()
        if context is not None:
            self.contexts.extend(
                MODELS.build({**common, **context})
                for _ in range(num_contexts))
        self.interpolations = nn.ModuleList(
            MODELS.build({**common, **interpolation}) for _ in range(coarser))

    def forward(self, inputs: Sequence[Tensor]) -> Tuple[Tensor, ...]:
        """Bring the coarser features to the resolution of the guide.

        Args:
            inputs (Sequence[Tensor]): Features of the backbone, finest first.

        Returns:
            tuple[Tensor]: As many features of ``channels`` channels: the
            finer ones and the guide at their own resolutions, the coarser
            ones at the guide's.

        Raises:
            ValueError: If there are not the features that were configured.
        """
        if self.in_indices is not None:
            inputs = [inputs[i] for i in self.in_indices]
        found = tuple(x.shape[1] for x in inputs)
        if found != self.in_channels:
            raise ValueError('GAINeck expects features of '
                             f'{self.in_channels} channels, got {found}')
        outs = [lateral(x) for lateral, x in zip(self.laterals, inputs)]
        first = len(outs) - len(self.contexts)
        for i, context in enumerate(self.contexts, first):
            outs[i] = context(outs[i])
        guide = outs[self.guide_index]
        for i, interpolation in enumerate(self.interpolations,
                                          self.guide_index + 1):
            outs[i] = interpolation(guide, outs[i])
        return tuple(outs)
