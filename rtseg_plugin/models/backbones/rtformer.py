from typing import Optional, Sequence, Tuple, Union

from mmcv.cnn import ConvModule
from mmcv.cnn.bricks import DropPath
from mmengine.model import BaseModule, Sequential
from mmseg.models.utils import DAPPM, resize
from mmseg.models.utils.basic_block import BasicBlock
from mmseg.registry import MODELS
from torch import Tensor, cat
from torch.nn import functional as F

from ..layers.build import build_layer, layer_class
from ..layers.image_size import check_image_size

PRE_ACT = ('norm', 'act', 'conv')


def _resize_like(x: Tensor, reference: Tensor) -> Tensor:
    """Bilinear resize to the height and width of ``reference``."""
    return resize(
        x, size=reference.shape[2:], mode='bilinear', align_corners=False)


class RTFormerBlock(BaseModule):
    """One block over two resolutions, in the paper's stepped layout.

    The low branch attends and passes its feed-forward part; the high branch
    takes it in, resized, attends to it and passes its own; with ``inject``
    the high branch is taken back into the low one, two strided convolutions
    further. Follows the official code, the injection is not in the paper.

    Args:
        high_channels (int): Channels of the high branch.
        in_channels (int): Channels of the low branch at the input.
        low_channels (int): Channels of the low branch at the output; where
            they differ from ``in_channels``, its size is halved.
        inject (bool): Whether the high branch is taken back.
        low_attention (dict): Config of the low branch's attention, see
            :class:`RTFormer`.
        high_attention (dict): Config of the high branch's attention.
        ffn (dict): Config of both feed-forward parts.
        drop_path_rate (float): Chance to drop each of the four residual
            branches per sample. Defaults to 0.
        norm_cfg (dict): Norm layers; those of the feed-forward parts get eps
            1e-6. Defaults to dict(type='BN').
    """

    def __init__(self,
                 high_channels: int,
                 in_channels: int,
                 low_channels: int,
                 inject: bool,
                 low_attention: dict,
                 high_attention: dict,
                 ffn: dict,
                 drop_path_rate: float = 0.,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        stride = 1 if in_channels == low_channels else 2
        self.shortcut = None
        if stride != 1:
            self.shortcut = ConvModule(
                in_channels,
                low_channels,
                1,
                stride=stride,
                norm_cfg=norm_cfg,
                act_cfg=None,
                order=('norm', 'conv', 'act'))
        self.low_attention = build_layer(
            low_attention,
            in_channels=in_channels,
            out_channels=low_channels,
            stride=stride,
            norm_cfg=norm_cfg)
        # only the cross attention has the low branch as a second input
        self.cross = getattr(layer_class(high_attention), 'cross', False)
        low = dict(low_channels=low_channels) if self.cross else {}
        self.high_attention = build_layer(
            high_attention,
            in_channels=high_channels,
            norm_cfg=norm_cfg,
            **low)

        norm_cfg_ffn = dict(norm_cfg, eps=1e-6)
        self.low_ffn = build_layer(
            ffn, channels=low_channels, norm_cfg=norm_cfg_ffn)
        self.high_ffn = build_layer(
            ffn, channels=high_channels, norm_cfg=norm_cfg_ffn)
        self.compression = ConvModule(
            low_channels, high_channels, 1, norm_cfg=norm_cfg, order=PRE_ACT)
        self.injection = None
        if inject:
            middle = low_channels // 2
            self.injection = Sequential(*[
                ConvModule(
                    in_ch,
                    out_ch,
                    3,
                    stride=2,
                    padding=1,
                    norm_cfg=norm_cfg,
                    order=PRE_ACT) for in_ch, out_ch in (
                        (high_channels, middle), (middle, low_channels))
            ])
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, high: Tensor, low: Tensor) -> Tuple[Tensor, Tensor]:
        """Run the block.

        Args:
            high (Tensor): Shape (N, high_channels, H, W).
            low (Tensor): Shape (N, in_channels, H', W').

        Returns:
            tuple[Tensor, Tensor]: High branch of the same shape and low
            branch, (N, low_channels, H', W') or half of that size, rounded
            up; neither is activated.
        """
        attended = self.low_attention(low)
        if self.shortcut is not None:
            low = self.shortcut(low)
        low = low + self.drop_path(attended)
        low = low + self.drop_path(self.low_ffn(low))

        high = high + _resize_like(self.compression(low), high)
        inputs = (high, low) if self.cross else (high, )
        high = high + self.drop_path(self.high_attention(*inputs))
        high = high + self.drop_path(self.high_ffn(high))
        if self.injection is not None:
            low = low + self.injection(high)
        return high, low


@MODELS.register_module()
class RTFormer(BaseModule):
    """Dual-resolution network with efficient attention on both branches.

    Paper: `RTFormer: Efficient Design for Real-Time Semantic Segmentation
    with Transformer <https://arxiv.org/abs/2210.07124>`_ (NeurIPS 2022).
    Official repository: PaddlePaddle/PaddleSeg (Apache-2.0). The defaults are
    the backbone of the official Cityscapes RTFormer-Slim (Table 2, 76.3 mIoU;
    5.4 M parameters with its heads); ``arch='base'`` with ``inject=(True,
    False)`` is RTFormer-Base.

    Where they differ this follows the official code: the scale of the cross
    attention, a norm before each feed-forward part, the injection, and for
    Slim on Cityscapes 12 x 12 tokens where the paper says 8 x 8.

    Args:
        arch (str | dict): 'slim' (32 base channels), 'base' (64) or a dict of
            ``base_channels`` and ``spp_channels`` (inside the DAPPM).
            Defaults to 'slim'.
        in_channels (int): Channels of the image. Defaults to 3.
        inject (Sequence[bool]): Whether each of the two RTFormer blocks takes
            the high branch back into the low one. Defaults to (True, True).
        low_attention (dict): Attention of the low branches: a type with the
            interface of :class:`.PreNormAttention` and its own arguments.
            Defaults to dict(type='GPUFriendlyAttention', groups=8).
        high_attention (dict): Attention of the high branches: the same, or a
            type with the interface of :class:`.CrossResolutionAttention`.
            Defaults to dict(type='CrossResolutionAttention', cross_size=12).
        ffn (dict): Feed-forward parts, built with ``channels`` and
            ``norm_cfg``. Defaults to dict(type='ConvFFN').
        drop_path_rate (float): The same for all residual branches of both
            blocks, as in the official code. Defaults to 0.2.
        out_indices (Sequence[int]): Which of the two outputs are returned.
            Defaults to (0, 1).
        norm_cfg (dict): Norm layers; momentum 0.9 is Paddle's 0.1. Those of
            the feed-forward parts get eps 1e-6. Defaults to dict(type='BN',
            momentum=0.9).
        init_cfg (dict | list[dict], optional): Defaults to Kaiming normal
            (fan-in) for convolutions; the attentions have their own.
    """

    arch_settings = {
        'slim': dict(base_channels=32, spp_channels=128),
        'base': dict(base_channels=64, spp_channels=128),
    }
    total_stride = 32

    def __init__(
        self,
        arch: Union[str, dict] = 'slim',
        in_channels: int = 3,
        inject: Sequence[bool] = (True, True),
        low_attention: dict = dict(type='GPUFriendlyAttention', groups=8),
        high_attention: dict = dict(
            type='CrossResolutionAttention', cross_size=12),
        ffn: dict = dict(type='ConvFFN'),
        drop_path_rate: float = 0.2,
        out_indices: Sequence[int] = (0, 1),
        norm_cfg: dict = dict(type='BN', momentum=0.9),
        init_cfg: Optional[Union[dict, Sequence[dict]]] = dict(
            type='Kaiming',
            layer='Conv2d',
            mode='fan_in',
            nonlinearity='relu')):
        super().__init__(init_cfg)
        arch = self._arch(arch)
        if len(inject) != 2:
            raise ValueError('inject needs one entry for each of the two '
                             f'RTFormer blocks, got {inject}')
        if not out_indices or not set(out_indices) <= {0, 1}:
            raise ValueError(
                f'out_indices must be among 0 and 1, got {out_indices}')
        self.out_indices = tuple(out_indices)
        c = arch['base_channels']

        def stem(in_ch: int) -> ConvModule:
            return ConvModule(
                in_ch, c, 3, stride=2, padding=1, bias=True, norm_cfg=norm_cfg)

        def stage(in_ch: int, out_ch: int, stride: int) -> Sequential:
            """Two residual blocks, no ReLU at the end."""
            shortcut = None
            if stride != 1:
                shortcut = ConvModule(
                    in_ch,
                    out_ch,
                    1,
                    stride=stride,
                    norm_cfg=norm_cfg,
                    act_cfg=None)
            return Sequential(
                BasicBlock(in_ch, out_ch, stride, shortcut, norm_cfg=norm_cfg),
                BasicBlock(
                    out_ch, out_ch, norm_cfg=norm_cfg, act_cfg_out=None))

        def block(in_ch: int, inject: bool) -> RTFormerBlock:
            return RTFormerBlock(2 * c, in_ch, 8 * c, inject, low_attention,
                                 high_attention, ffn, drop_path_rate, norm_cfg)

        self.stem = Sequential(stem(in_channels), stem(c))
        self.stage1 = stage(c, c, 1)
        self.stage2 = stage(c, 2 * c, 2)
        self.stage3 = stage(2 * c, 4 * c, 2)
        self.compression3 = ConvModule(
            4 * c, 2 * c, 1, norm_cfg=norm_cfg, order=PRE_ACT)
        self.stage3_high = BasicBlock(2 * c, 2 * c, norm_cfg=norm_cfg)
        self.stage4 = block(4 * c, inject[0])
        self.stage5 = block(8 * c, inject[1])
        self.spp = DAPPM(
            8 * c,
            arch['spp_channels'],
            2 * c,
            num_scales=5,
            norm_cfg=norm_cfg,
            conv_cfg=dict(order=PRE_ACT, bias=False))
        for module in self.modules():
            if isinstance(module, ConvModule):
                # its own initialisation (fan-out) would win over init_cfg
                module.is_init = True

    @classmethod
    def _arch(cls, arch: Union[str, dict]) -> dict:
        if isinstance(arch, str):
            if arch not in cls.arch_settings:
                raise ValueError(f'arch must be one of '
                                 f'{sorted(cls.arch_settings)} or a dict, got '
                                 f'{arch!r}')
            return cls.arch_settings[arch]
        if set(arch) != {'base_channels', 'spp_channels'}:
            raise ValueError('arch needs base_channels and spp_channels, got '
                             f'{sorted(arch)}')
        return arch

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Extract features. Each halving rounds up.

        Args:
            x (Tensor): Images of shape (N, in_channels, H, W).

        Returns:
            tuple[Tensor]: Of these, with c base channels, the ones in
            ``out_indices``: (0) high branch and context, (N, 4c, H/8, W/8),
            not activated, for the decode head; (1) high branch before the
            RTFormer blocks, (N, 2c, H/8, W/8), for the auxiliary head.

        Raises:
            ValueError: If a side of the image is shorter than 32.
        """
        check_image_size(x, self)
        x2 = self.stage2(F.relu_(self.stage1(self.stem(x))))
        # x2 is needed before its activation, too
        x3 = self.stage3(F.relu(x2))
        high3 = self.stage3_high(
            F.relu(x2 + _resize_like(self.compression3(x3), x2)))
        # high3 ends with a ReLU, so the one before stage 4 is there already
        high, low = self.stage4(high3, F.relu(x3))
        high, low = self.stage5(F.relu(high), F.relu(low))
        outs = (cat([high, _resize_like(self.spp(low), high)], dim=1), high3)
        return tuple(outs[i] for i in self.out_indices)
