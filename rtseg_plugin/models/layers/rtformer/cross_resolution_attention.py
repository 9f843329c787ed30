from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..pooling import adaptive_max_pool2d


@MODELS.register_module()
class CrossResolutionAttention(BaseModule):
    """Pixels of the high resolution ask a few tokens of the low one.

    The low-resolution feature is pooled to ``cross_size`` x ``cross_size``
    tokens with a key and a value each; every high-resolution pixel is a query
    as it is, after its norm. Both products are batched matrix products: the
    official code writes them as convolutions with computed weights and the
    batch among the channels, which no exporter takes.

    Paper: `RTFormer <https://arxiv.org/abs/2210.07124>`_, equation 4.
    Official repository: PaddlePaddle/PaddleSeg (Apache-2.0). The paper
    divides the similarities by the root of the width; this follows the
    official code, the root of the number of tokens.

    Args:
        in_channels (int): Channels C of the high resolution.
        low_channels (int): Channels of the low resolution.
        cross_size (int): Side of the grid of tokens. Defaults to 12.
        norm_cfg (dict): Norms of both inputs. Defaults to dict(type='BN').

    Attributes:
        cross (bool): Whether ``forward`` takes the low-resolution feature as
            a second argument; True.
    """
    cross = True

    def __init__(self,
                 in_channels: int,
                 low_channels: int,
                 cross_size: int = 12,
                 norm_cfg: dict = dict(type='BN')):
        # the official truncation is at an absolute 2, a hundred deviations;
        # the host's truncated normal puts outliers exactly there
        super().__init__(dict(type='Normal', layer='Conv2d', std=0.02))
        if cross_size < 1:
            raise ValueError(f'cross_size must be positive, got {cross_size}')
        self.cross_size = cross_size
        self.norm = build_norm_layer(norm_cfg, in_channels)[1]
        self.norm_low = build_norm_layer(norm_cfg, low_channels)[1]
        self.kv = nn.Conv2d(low_channels, 2 * in_channels, 1, bias=False)

    def cross_feature(self, low: Tensor) -> Tensor:
        """Pool the low resolution to tokens.

        Args:
            low (Tensor): Shape (N, low_channels, H', W').

        Returns:
            Tensor: Keys, then values, (N, 2C, cross_size, cross_size).
        """
        return self.kv(
            adaptive_max_pool2d(self.norm_low(low), self.cross_size))

    def forward(self, x: Tensor, low: Tensor) -> Tensor:
        """Attend.

        Args:
            x (Tensor): High-resolution feature, (N, C, H, W).
            low (Tensor): Low-resolution feature, (N, low_channels, H', W');
                any size.

        Returns:
            Tensor: What the pixels read, (N, C, H, W); no residual.
        """
        # (N, C, tokens) each; the root of the tokens is the grid's side
        keys, values = self.cross_feature(low).flatten(2).chunk(2, dim=1)
        # (N, pixels, C), as it lies in memory where channels come last;
        # runtimes then copy neither it nor what is read
        queries = self.norm(x).permute(0, 2, 3, 1).flatten(1, 2)
        # (N, pixels, tokens): the softmax runs along contiguous memory
        attention = (queries @ (keys / self.cross_size)).softmax(dim=-1)
        read = attention @ values.transpose(1, 2)
        return read.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
