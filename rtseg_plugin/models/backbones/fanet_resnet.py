import math
from typing import Optional, Sequence, Tuple, Union

from mmseg.models.backbones.resnet import BasicBlock, Bottleneck, ResNet
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.image_size import check_image_size

# PyTorch's default, as in the official code
_SLOPE = 0.01


class LeakyBasicBlock(BasicBlock):
    """The host's ``BasicBlock`` with LeakyReLU inside.

    ReLU only follows the sum with the shortcut.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, planes, H / stride, W / stride)."""
        out = F.leaky_relu_(self.norm1(self.conv1(x)), _SLOPE)
        out = self.norm2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return F.relu_(out)


class LeakyBottleneck(Bottleneck):
    """The host's ``Bottleneck`` with LeakyReLU inside.

    ReLU only follows the sum with the shortcut.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 4 * planes, H / stride, W / stride)."""
        out = F.leaky_relu_(self.norm1(self.conv1(x)), _SLOPE)
        out = F.leaky_relu_(self.norm2(self.conv2(out)), _SLOPE)
        out = self.norm3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return F.relu_(out)


@MODELS.register_module()
class FANetResNet(ResNet):
    """ResNet with LeakyReLU and one more halving, the encoder of FANet.

    Paper: `Real-time Semantic Segmentation with Fast Attention
    <https://arxiv.org/abs/2007.03815>`_ (RA-L 2021). Official repository:
    feinanshan/FANet (MIT). The defaults of ``strides`` are "Res-1" of Fig. 3,
    the published network: the first stage halves too, so the features have
    strides 8, 16, 32 and 64. Where paper and code differ this follows the
    code: LeakyReLU where the paper has ReLU, except after a block's sum.

    Parameters are named as in torchvision's ResNet, whose ImageNet weights
    load through ``init_cfg=dict(type='Pretrained', ...)``; with a stride of 2
    in the first stage its projection shortcut is not in them and keeps its
    random start.

    The rest of Fig. 3, all with the last three stages at stride 2 unless said:

    ==============  ===================================================
    None            ``strides=(1, 2, 2, 2)``
    Conv-0          ``strides=(1, 2, 2, 2), halve_image=True``
    Res-2           ``strides=(1, 4, 2, 2)``, Res-3 and Res-4 likewise
    max, avg. pool  ``strides=(1, 2, 2, 2)`` and
                    ``pools=('max', None, None, None)``, or 'avg'
    ==============  ===================================================

    Args:
        depth (int): 18, 34, 50, 101 or 152. Defaults to 18.
        in_channels (int): Channels of the image. Defaults to 3.
        base_channels (int): Channels of the stem and the first stage's
            blocks. Defaults to 64.
        strides (Sequence[int]): Strides of the four stages.
            Defaults to (2, 2, 2, 2).
        pools (Sequence[str | None]): 2x2 pooling before each of the stages:
            'max', 'avg' or None. Defaults to none anywhere.
        halve_image (bool): Whether to halve the image first, bilinearly.
            Defaults to False.
        out_indices (Sequence[int]): Stages whose output is returned.
            Defaults to (0, 1, 2, 3).
        frozen_stages (int): Stages that are not trained, counted from the
            stem (0); -1 freezes none. Defaults to -1.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        norm_eval (bool): Whether norm layers keep their statistics in
            training. Defaults to False.
        init_cfg (dict | list[dict], optional): Defaults to Kaiming normal
            (fan-out) for convolutions.
    """

    arch_settings = {
        18: (LeakyBasicBlock, (2, 2, 2, 2)),
        34: (LeakyBasicBlock, (3, 4, 6, 3)),
        50: (LeakyBottleneck, (3, 4, 6, 3)),
        101: (LeakyBottleneck, (3, 4, 23, 3)),
        152: (LeakyBottleneck, (3, 8, 36, 3)),
    }
    _pools = {
        None: nn.Identity,
        'max': lambda: nn.MaxPool2d(2, ceil_mode=True),
        'avg': lambda: nn.AvgPool2d(
            2, ceil_mode=True, count_include_pad=False),
    }

    def __init__(self,
                 depth: int = 18,
                 in_channels: int = 3,
                 base_channels: int = 64,
                 strides: Sequence[int] = (2, 2, 2, 2),
                 pools: Sequence[Optional[str]] = (None, None, None, None),
                 halve_image: bool = False,
                 out_indices: Sequence[int] = (0, 1, 2, 3),
                 frozen_stages: int = -1,
                 norm_cfg: dict = dict(type='BN'),
                 norm_eval: bool = False,
                 init_cfg: Union[dict, Sequence[dict], None] = None):
        if depth not in self.arch_settings:
            raise ValueError(f'depth must be one of '
                             f'{sorted(self.arch_settings)}, got {depth}')
        if len(strides) != 4 or len(pools) != 4:
            raise ValueError('strides and pools have an entry for each of 4 '
                             f'stages, got {strides} and {pools}')
        unknown = [pool for pool in pools if pool not in self._pools]
        if unknown:
            raise ValueError(f"pools are 'max', 'avg' or None, got {unknown}")
        super().__init__(
            depth,
            in_channels=in_channels,
            stem_channels=base_channels,
            base_channels=base_channels,
            strides=strides,
            out_indices=out_indices,
            frozen_stages=frozen_stages,
            norm_cfg=norm_cfg,
            norm_eval=norm_eval,
            zero_init_residual=False,
            init_cfg=init_cfg)
        self.relu = nn.LeakyReLU(_SLOPE, inplace=True)
        self.pools = nn.ModuleList(self._pools[pool]() for pool in pools)
        self.halve_image = halve_image
        # two halvings in the stem
        halvings = 2 + halve_image + sum(pool is not None for pool in pools)
        self.total_stride = 2**halvings * math.prod(strides)

    def train(self, mode: bool = True) -> 'FANetResNet':
        """As PyTorch's, which returns the module; the host's does not."""
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Features of the stages.

        Args:
            x (Tensor): Image of shape (N, in_channels, H, W).

        Returns:
            tuple[Tensor]: Outputs of the stages of ``out_indices``; odd sides
            round up at each halving.

        Raises:
            ValueError: If a side of the image is shorter than the
                coarsest stride.
        """
        check_image_size(x, self)
        if self.halve_image:
            size = [(side + 1) // 2 for side in x.shape[2:]]
            x = F.interpolate(
                x, size=size, mode='bilinear', align_corners=False)
        x = self.maxpool(self.relu(self.norm1(self.conv1(x))))
        outs = []
        for i, name in enumerate(self.res_layers):
            x = getattr(self, name)(self.pools[i](x))
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)
