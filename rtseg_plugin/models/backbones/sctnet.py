import warnings
from typing import Sequence, Tuple

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.models.utils import DAPPM, resize
from mmseg.registry import MODELS
from torch import Tensor, cat, nn
from torch.nn import functional as F

from ..layers.build import build_layer
from ..layers.image_size import check_image_size


class ConvNorm(BaseModule):
    """Convolution with a bias and norm; no activation.

    Not the host's ``ConvModule``, which warns about each bias before a norm;
    SCTNet has one in every convolution.
    """

    def __init__(self, in_channels: int, channels: int, kernel_size: int,
                 stride: int, norm_cfg: dict):
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2)
        self.bn = build_norm_layer(norm_cfg, channels)[1]

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, channels, H/stride, W/stride)."""
        return self.bn(self.conv(x))


class ResidualBlock(BaseModule):
    """Two 3x3 convolutions and a shortcut.

    The host's ``BasicBlock`` has no biases.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        stride (int): Stride of the first convolution. Defaults to 1.
        last_act (bool): Whether a ReLU follows the sum. Defaults to True.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
    """

    def __init__(self,
                 in_channels: int,
                 channels: int,
                 stride: int = 1,
                 last_act: bool = True,
                 norm_cfg: dict = dict(type='BN')):
        super().__init__()
        self.conv1 = ConvNorm(in_channels, channels, 3, stride, norm_cfg)
        self.conv2 = ConvNorm(channels, channels, 3, 1, norm_cfg)
        self.shortcut = None
        if stride != 1 or in_channels != channels:
            self.shortcut = ConvNorm(in_channels, channels, 1, stride,
                                     norm_cfg)
        self.last_act = last_act

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, channels, H / stride, W / stride)."""
        identity = x if self.shortcut is None else self.shortcut(x)
        out = self.conv2(F.relu_(self.conv1(x)))
        out += identity
        return F.relu_(out) if self.last_act else out


@MODELS.register_module()
class SCTNet(BaseModule):
    """Single-branch CNN whose latter blocks are shaped after a transformer.

    Paper: `SCTNet: Single-Branch CNN with Transformer Semantic Information
    for Real-Time Segmentation <https://arxiv.org/abs/2312.17071>`_ (AAAI
    2024). Official repository: xzz777/SCTNet (MIT). The defaults are the
    backbone of SCTNet-S of Table 1 (4.6 M parameters with its head);
    ``arch='base'`` is SCTNet-B (17.4 M).

    Where they differ this follows the official code: two residual blocks and
    one Conv-Former block in stage 3, downsampling by strided residual blocks
    before stages 2 and 3. Initialisation is what that code means to do
    (Kaiming, and a truncated normal for the kernels of the attention), not
    what an oversight makes it do (see :class:`.ConvolutionalAttention`).

    Args:
        arch (str): 'small' (32 channels, 64 in the DAPPM) or 'base' (64,
            128). Defaults to 'small'.
        in_channels (int): Channels of the image. Defaults to 3.
        block (dict): Config of the blocks of the two latter stages, built
            with ``channels``, ``drop_path_rate`` and ``norm_cfg``; the rows
            of Table 4. Defaults to dict(type='CFBlock').
        drop_path_rate (float): The same for all these blocks, as official
            code. Defaults to 0.1.
        out_indices (Sequence[int]): Which of the four outputs of
            :meth:`forward` are given. Defaults to all.
        norm_cfg (dict): Norm layers. Defaults to dict(type='BN').
        init_cfg (dict | list[dict], optional): Defaults to Kaiming normal
            (fan-out) for convolutions.
    """

    arch_settings = {
        # base channels C, inner channels of the DAPPM
        'small': (32, 64),
        'base': (64, 128),
    }
    total_stride = 32

    def __init__(
        self,
        arch: str = 'small',
        in_channels: int = 3,
        block: dict = dict(type='CFBlock'),
        drop_path_rate: float = 0.1,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        norm_cfg: dict = dict(type='BN'),
        init_cfg: dict = dict(type='Kaiming', layer='Conv2d')):
        super().__init__(init_cfg)
        if arch not in self.arch_settings:
            raise ValueError(f'arch must be one of '
                             f'{sorted(self.arch_settings)}, got {arch!r}')
        self.out_indices = tuple(out_indices)
        c, spp_channels = self.arch_settings[arch]

        def halving(in_ch: int, out_ch: int) -> nn.Sequential:
            return nn.Sequential(
                ConvNorm(in_ch, out_ch, 3, 2, norm_cfg), nn.ReLU(True))

        def residual(in_ch: int, out_ch: int, stride: int) -> nn.Sequential:
            return nn.Sequential(
                ResidualBlock(in_ch, out_ch, stride, norm_cfg=norm_cfg),
                ResidualBlock(
                    out_ch, out_ch, last_act=False, norm_cfg=norm_cfg))

        def former(channels: int) -> nn.Module:
            return build_layer(
                block,
                channels=channels,
                drop_path_rate=drop_path_rate,
                norm_cfg=norm_cfg)

        self.stem = nn.Sequential(halving(in_channels, c), halving(c, c))
        self.stage1 = residual(c, c, 1)
        self.stage2 = residual(c, 2 * c, 2)
        self.stage3 = residual(2 * c, 4 * c, 2)
        self.stage3_former = former(4 * c)
        self.down4 = halving(4 * c, 8 * c)
        self.stage4_former1 = former(8 * c)
        self.stage4_former2 = former(8 * c)
        with warnings.catch_warnings():
            # ConvModule warns of a bias before a norm; here it is behind
            warnings.filterwarnings('ignore', 'Unnecessary conv bias')
            self.spp = DAPPM(
                8 * c,
                spp_channels,
                2 * c,
                num_scales=5,
                norm_cfg=norm_cfg,
                conv_cfg=dict(order=('norm', 'act', 'conv'), bias=True))

    def forward(self, x: Tensor) -> Tuple[Tensor, ...]:
        """Extract features. Each halving rounds up.

        Args:
            x (Tensor): Images of shape (N, in_channels, H, W).

        Returns:
            tuple[Tensor]: With C base channels: (0) stage 2 and context,
            (N, 4C, H/8, W/8), for the decode head; (1) stage 2, (N, 2C, H/8,
            W/8), neither activated nor followed by an activation, for the
            auxiliary head; (2) stage 3, (N, 4C, H/16, W/16), and (3) stage 4,
            (N, 8C, H/32, W/32), for alignment with a teacher.

        Raises:
            ValueError: If a side of the image is shorter than 32.
        """
        check_image_size(x, self)
        x = self.stage1(self.stem(x))
        x2 = self.stage2(F.relu_(x))
        x3 = self.stage3_former(F.relu_(self.stage3(F.relu(x2))))
        x4 = self.stage4_former1(self.down4(x3))
        x4 = self.stage4_former2(F.relu(x4))
        context = resize(
            self.spp(x4),
            size=x2.shape[2:],
            mode='bilinear',
            align_corners=False)
        outs = (cat([x2, context], dim=1), x2, x3, x4)
        return tuple(outs[i] for i in self.out_indices)
