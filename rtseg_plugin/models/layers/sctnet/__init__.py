from .conv_former_block import CFBlock
from .convolutional_attention import ConvolutionalAttention

__all__ = [
    'CFBlock',
    'ConvolutionalAttention',
]
