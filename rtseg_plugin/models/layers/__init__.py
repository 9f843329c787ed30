from .conv_ffn import ConvFFN
from .conv_norm_act import conv_norm_act
from .fanet import FastAttention
from .gain import (
    GlobalAverageContext,
    GuidedAttentiveInterpolation,
    GuidedCrissCrossAttention,
    PyramidPoolingContext,
)
from .grouped_double_normalization import grouped_double_normalization
from .image_size import check_image_size
from .label_map import label_map
from .lmanet import (
    BlendFusion,
    ConcatFusion,
    ERFBlock,
    GatedFusion,
    ReducedGatedFusion,
)
from .local_attention import (
    global_attention,
    local_attention,
    local_attention_reference,
    local_attention_weights,
)
from .pooling import adaptive_average_pool, adaptive_max_pool2d
from .rivals import (
    BilinearInterpolation,
    ChannelSelfAttention,
    ConvResBlock,
    DepthwiseFFN,
    FlowAlignedInterpolation,
    GFABlock,
    GuidedDenseAttention,
    GuidedSampledAttention,
    GuideQueryInterpolation,
    LinformerAttention,
    MSCANBlock,
    MultiHeadExternalAttention,
    NoAttention,
    NystromAttention,
    OfficialDenseAttention,
    PreNormAttention,
    SegFormerBlock,
    SemanticQueryInterpolation,
    SoftmaxSelfAttention,
    SpatialReductionAttention,
)
from .rtformer import CrossResolutionAttention, GPUFriendlyAttention
from .sctnet import CFBlock, ConvolutionalAttention

__all__ = [
    'BilinearInterpolation',
    'BlendFusion',
    'CFBlock',
    'ChannelSelfAttention',
    'ConcatFusion',
    'ConvFFN',
    'ConvResBlock',
    'ConvolutionalAttention',
    'CrossResolutionAttention',
    'DepthwiseFFN',
    'ERFBlock',
    'FastAttention',
    'FlowAlignedInterpolation',
    'GFABlock',
    'GPUFriendlyAttention',
    'GatedFusion',
    'GlobalAverageContext',
    'GuideQueryInterpolation',
    'GuidedAttentiveInterpolation',
    'GuidedCrissCrossAttention',
    'GuidedDenseAttention',
    'GuidedSampledAttention',
    'LinformerAttention',
    'MSCANBlock',
    'MultiHeadExternalAttention',
    'NoAttention',
    'NystromAttention',
    'OfficialDenseAttention',
    'PreNormAttention',
    'PyramidPoolingContext',
    'ReducedGatedFusion',
    'SegFormerBlock',
    'SemanticQueryInterpolation',
    'SoftmaxSelfAttention',
    'SpatialReductionAttention',
    'adaptive_average_pool',
    'adaptive_max_pool2d',
    'check_image_size',
    'conv_norm_act',
    'global_attention',
    'grouped_double_normalization',
    'label_map',
    'local_attention',
    'local_attention_reference',
    'local_attention_weights',
]
