from typing import Optional

from mmcv.cnn import build_activation_layer, build_norm_layer
from torch import nn


def conv_norm_act(in_channels: int,
                  channels: int,
                  kernel_size: int = 1,
                  bias: bool = False,
                  norm_cfg: dict = dict(type='BN'),
                  act_cfg: Optional[dict] = dict(type='ReLU')
                  ) -> nn.Sequential:
    """Convolution, norm and activation that keep PyTorch's initialisation.

    For networks whose official start is PyTorch's (GAIN): the host's
    ``ConvModule`` draws its own, Kaiming, and warns of a bias before a norm.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        kernel_size (int): Odd side of the kernel; the size of the feature
            stays. Defaults to 1.
        bias (bool): Whether the convolution has a bias. Defaults to False.
        norm_cfg (dict): Norm layer. Defaults to dict(type='BN').
        act_cfg (dict, optional): Activation, None for none. Defaults to
            dict(type='ReLU').

    Returns:
        nn.Sequential: (0) convolution, (1) norm, (2) activation.
    """
    layers = [
        nn.Conv2d(
            in_channels,
            channels,
            kernel_size,
            padding=kernel_size // 2,
            bias=bias),
        build_norm_layer(norm_cfg, channels)[1],
    ]
    if act_cfg is not None:
        layers.append(build_activation_layer(act_cfg))
    return nn.Sequential(*layers)
