from typing import Sequence, Tuple

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.models.backbones.resnet import BasicBlock
from mmseg.models.utils import ResLayer
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..layers.image_size import check_image_size


@MODELS.register_module()
class DFNet(BaseModule):
    """DFNet, a backbone found by partial order pruning.

    Paper: `Partial Order Pruning: for Best Speed/Accuracy Trade-off in Neural
    Architecture Search <https://arxiv.org/abs/1903.03777>`_. The default is
    DF2 (DFNetV2), 17.5 M parameters, as `GAIN
    <https://arxiv.org/abs/2601.01167>`_ uses it; official repository of that:
    hustvl/simpleseg (no licence file), whose structure this follows. A stem
    of two strided convolutions, then plain residual blocks in parts of one
    width; the first block of a part has a projection.

    Args:
        arch (str): Key of ``arch_settings``. Defaults to 'df2'.
        in_channels (int): Channels of the image. Defaults to 3.
        out_indices (Sequence[int]): Stages to return: 0 the stem (stride 4,
            64 channels), 1 to 3 the stages (strides 8, 16, 32; 128, 256, 512
            channels in DF2). Defaults to (1, 2, 3), as the official network.
        output_stride (int): 32, or 64: then the last part halves once more.
            Defaults to 32.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        norm_eval (bool): Whether the norms keep their statistics in training.
            Defaults to False.
        with_cp (bool): Whether blocks are recomputed in the backward pass to
            save memory. Defaults to False.
        init_cfg (dict, optional): Defaults to None: PyTorch's initialisation,
            as official without an ImageNet file.

    Raises:
        ValueError: If an argument has a value that is not listed.
    """

    arch_settings = {
        # width and number of blocks of the two parts of stages 2 to 4
        'df2': (((64, 2), (128, 1)), ((128, 10), (256, 1)), ((256, 4),
                                                             (512, 2))),
    }

    def __init__(self,
                 arch: str = 'df2',
                 in_channels: int = 3,
                 out_indices: Sequence[int] = (1, 2, 3),
                 output_stride: int = 32,
                 norm_cfg: dict = dict(type='BN'),
                 norm_eval: bool = False,
                 with_cp: bool = False,
                 init_cfg: dict = None):
        super().__init__(init_cfg)
        if arch not in self.arch_settings:
            raise ValueError(f'arch must be one of '
                             f'{sorted(self.arch_settings)}, got {arch!r}')
        if output_stride not in (32, 64):
            raise ValueError(
                f'output_stride must be 32 or 64, got {output_stride}')
        if not out_indices or any(i not in range(4) for i in out_indices):
            raise ValueError('out_indices must be some of 0, 1, 2 and 3, got '
                             f'{tuple(out_indices)}')
        self.out_indices = tuple(out_indices)
        self.norm_eval = norm_eval
        self.stage1 = nn.Sequential(
            nn.Conv2d(in_channels, 32, 3, stride=2, padding=1, bias=False),
            build_norm_layer(norm_cfg, 32)[1], nn.ReLU(inplace=True),
            nn.Conv2d(32, 64, 3, stride=2, padding=1, bias=False),
            build_norm_layer(norm_cfg, 64)[1], nn.ReLU(inplace=True))
        width = 64
        last = max(self.out_indices)
        self.total_stride = output_stride if last == 3 else 4 * 2**last
        for stage, parts in enumerate(self.arch_settings[arch][:last], 2):
            strides = (2, 2 if stage == 4 and output_stride == 64 else 1)
            for part, (channels, blocks) in enumerate(parts, 1):
                layer = ResLayer(
                    BasicBlock,
                    width,
                    channels,
                    blocks,
                    stride=strides[part - 1],
                    with_cp=with_cp,
                    norm_cfg=norm_cfg)
                self.add_module(f'stage{stage}_{part}', layer)
                width = channels

    def train(self, mode: bool = True) -> 'DFNet':
        """Set the mode, with the norms in eval mode if ``norm_eval``."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
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
        x = self.stage1(x)
        outs = [x] if 0 in self.out_indices else []
        for i in range(1, max(self.out_indices) + 1):
            x = getattr(self, f'stage{i + 1}_1')(x)
            x = getattr(self, f'stage{i + 1}_2')(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)
