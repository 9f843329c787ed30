import math
from typing import Sequence, Tuple

from mmseg.models.backbones import ResNetV1c
from mmseg.registry import MODELS
from torch import Tensor

from ..layers.image_size import check_image_size


@MODELS.register_module()
class GAINResNet(ResNetV1c):
    """ResNet with a deep, 128 channels wide stem, GAIN's encoder.

    MMSegmentation's ``ResNetV1c`` but for the dilation: in the basic block
    the host dilates the first convolution, the official code of `GAIN
    <https://arxiv.org/abs/2601.01167>`_ (hustvl/simpleseg, no licence file)
    the second, in every block. The defaults are ResNet-18 as in GAIN-R18 for
    Cityscapes and ADE20K; for CamVid all dilations are 1.

    Args:
        depth (int): 18, 34, 50, 101 or 152. Defaults to 18.
        in_channels (int): Channels of the image. Defaults to 3.
        stem_channels (int): Channels after the stem. Defaults to 128.
        base_channels (int): Width of the first stage. Defaults to 64.
        strides (Sequence[int]): Strides of the stages. Defaults to
            (1, 2, 2, 2).
        dilations (Sequence[int]): Dilation of the second convolution of the
            blocks of each stage. Defaults to (1, 1, 1, 2).
        out_indices (Sequence[int]): Stages to return. Defaults to
            (0, 1, 2, 3).
        frozen_stages (int): Stages without training, 0 is the stem. Defaults
            to -1: none.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        norm_eval (bool): Whether the norms keep their statistics in training.
            Defaults to False.
        with_cp (bool): Whether blocks are recomputed in the backward pass to
            save memory. Defaults to False.
        init_cfg (dict | list[dict], optional): Defaults to None: Kaiming
            normal (fan-out) for convolutions, 1 and 0 for norms, also for the
            last one of a block, as official.
    """

    def __init__(self,
                 depth: int = 18,
                 in_channels: int = 3,
                 stem_channels: int = 128,
                 base_channels: int = 64,
                 strides: Sequence[int] = (1, 2, 2, 2),
                 dilations: Sequence[int] = (1, 1, 1, 2),
                 out_indices: Sequence[int] = (0, 1, 2, 3),
                 frozen_stages: int = -1,
                 norm_cfg: dict = dict(type='BN'),
                 norm_eval: bool = False,
                 with_cp: bool = False,
                 init_cfg: dict = None):
        super().__init__(
            depth=depth,
            in_channels=in_channels,
            stem_channels=stem_channels,
            base_channels=base_channels,
            num_stages=len(strides),
            strides=strides,
            out_indices=out_indices,
            dilations=(1, ) * len(strides),
            frozen_stages=frozen_stages,
            norm_cfg=norm_cfg,
            norm_eval=norm_eval,
            with_cp=with_cp,
            zero_init_residual=False,
            init_cfg=init_cfg)
        if len(dilations) != len(strides):
            raise ValueError(f'dilations must have {len(strides)} entries, '
                             f'one per stage, got {tuple(dilations)}')
        self.total_stride = 4 * math.prod(strides)
        for name, dilation in zip(self.res_layers, dilations):
            for block in getattr(self, name):
                block.conv2.dilation = (dilation, dilation)
                block.conv2.padding = (dilation, dilation)

    def train(self, mode: bool = True) -> 'GAINResNet':
        """As PyTorch's, which returns the module; the host's does not."""
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Extract features. Each halving rounds up.

        Args:
            x (Tensor): Images of shape (N, in_channels, H, W).

        Returns:
            tuple[Tensor]: The features of ``out_indices``.

        Raises:
            ValueError: If a side of the image is shorter than the
                coarsest stride.
        """
        check_image_size(x, self)
        return super().forward(x)
