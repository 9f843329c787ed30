from typing import Optional, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..layers.tracing import is_tracing


def _fused_convolution() -> Optional[object]:
    """The operator of PyTorch's oneDNN that adds and activates, if any."""
    if not torch.backends.mkldnn.is_available():
        return None
    return getattr(torch.ops.mkldnn, '_convolution_pointwise', None)


class FusedConv2d(nn.Module):
    """Convolution, a sum with another feature and an activation, in one pass.

    On a CPU in float32 this is one call of oneDNN, on features in the
    channels-last layout and with weights that are laid out once; what
    ``torch.compile`` would call there. Elsewhere, where gradients are wanted
    and where the forward is traced it is the plain operations.

    Args:
        weight (Tensor): (out, in / groups, height, width); copied.
        bias (Tensor, optional): (out, ); copied.
        stride (Sequence[int]): Of the convolution.
        padding (Sequence[int]): Zeros on both sides.
        dilation (Sequence[int]): Of the kernel.
        groups (int): Of the channels.
    """

    def __init__(self, weight: Tensor, bias: Optional[Tensor],
                 stride: Sequence[int], padding: Sequence[int],
                 dilation: Sequence[int], groups: int):
        super().__init__()
        self.set_weights(weight, bias)
        self.stride = list(stride)
        self.padding = list(padding)
        self.dilation = list(dilation)
        self.groups = groups
        # 'none', 'relu', 'leaky_relu' with a slope, 'sigmoid', or 'gelu'
        self.act, self.slope = 'none', None

    @staticmethod
    def arguments_of(conv: nn.Module) -> Optional[tuple]:
        """Arguments with which this does what a convolution does, if any."""
        if (type(conv) is not nn.Conv2d or conv.padding_mode != 'zeros'
                or isinstance(conv.padding, str)):
            return None
        return (conv.weight, conv.bias, conv.stride, conv.padding,
                conv.dilation, conv.groups)

    def set_weights(self, weight: Tensor, bias: Optional[Tensor]) -> None:
        """Take other numbers; shapes as of the constructor."""
        self.weight = nn.Parameter(
            weight.detach().clone(), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(
            bias.detach().clone(), requires_grad=False)
        self._packed = None

    def forget_layout(self) -> None:
        """Lay the weights out anew, for the size of the next input."""
        self._packed = None

    def _apply(self, fn, recurse: bool = True) -> 'FusedConv2d':
        self._packed = None
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, *args) -> None:
        self._packed = None
        super()._load_from_state_dict(*args)

    def __getstate__(self) -> dict:
        # laid-out weights cannot be copied; they come back by themselves
        return dict(self.__dict__, _packed=None)

    def extra_repr(self) -> str:
        """Shape, and what is fused."""
        return (f'{tuple(self.weight.shape)}, stride={self.stride}, '
                f'padding={self.padding}, act={self.act}')

    def _is_fused(self, x: Tensor) -> bool:
        return (x.device.type == 'cpu' and x.dtype == torch.float32
                and self.weight.dtype == torch.float32
                and not (torch.is_grad_enabled() and x.requires_grad)
                and not torch.is_autocast_enabled('cpu')
                and torch.backends.mkldnn.enabled
                and _fused_convolution() is not None)

    def forward(self, x: Tensor, other: Optional[Tensor] = None) -> Tensor:
        """act(conv(x) + other).

        Args:
            x (Tensor): (N, in, H, W).
            other (Tensor, optional): Of the shape of the result. Defaults to
                None.

        Returns:
            Tensor: (N, out, H', W').
        """
        if is_tracing(x) or not self._is_fused(x):
            return self._plain(x, other)
        x = x.contiguous(memory_format=torch.channels_last)
        if self._packed is None:
            self._packed = torch.ops.aten.mkldnn_reorder_conv2d_weight(
                self.weight.to_mkldnn(), self.padding, self.stride,
                self.dilation, self.groups, list(x.shape))
        call, arguments = _fused_convolution(), (
            self._packed, self.bias, self.padding, self.stride, self.dilation,
            self.groups)
        if other is None:
            slope = [] if self.slope is None else [self.slope]
            return call(x, *arguments, self.act, slope,
                        'none' if self.act == 'gelu' else '')
        other = other.contiguous(memory_format=torch.channels_last)
        act = None if self.act == 'none' else self.act
        return call.binary(x, other, *arguments, 'add', None, act, [], None)

    def _plain(self, x: Tensor, other: Optional[Tensor]) -> Tensor:
        x = F.conv2d(x, self.weight, self.bias, self.stride, self.padding,
                     self.dilation, self.groups)
        if other is not None:
            x = x + other
        if self.act == 'relu':
            return F.relu(x)
        if self.act == 'leaky_relu':
            return F.leaky_relu(x, self.slope)
        if self.act == 'gelu':
            return F.gelu(x)
        return x.sigmoid() if self.act == 'sigmoid' else x


class Affine2d(nn.Module):
    """scale * x + shift per channel: a batch norm that stands alone.

    Args:
        norm (nn.Module): A batch norm with statistics.
    """

    def __init__(self, norm: nn.Module):
        super().__init__()
        scale, shift = affine_of(norm)
        self.register_buffer('scale', scale.view(1, -1, 1, 1))
        self.register_buffer('shift', shift.view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return torch.addcmul(self.shift, x, self.scale)


def affine_of(norm: nn.Module) -> tuple:
    """Scale and shift that a batch norm in eval mode stands for.

    Args:
        norm (nn.Module): A batch norm with statistics.

    Returns:
        tuple[Tensor]: Both of shape (C, ).
    """
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    if norm.bias is not None:
        shift = shift + norm.bias
    return scale.detach(), shift.detach()
