from .adaptive_max_pool import adaptive_max_pool2d
from .context import (
    GlobalAverageContext,
    PyramidPoolingContext,
    adaptive_average_pool,
)
from .conv_former_block import CFBlock, ConvFFN, ConvolutionalAttention
from .conv_norm_act import conv_norm_act
from .criss_cross_attention import GuidedCrissCrossAttention
from .cross_resolution_attention import CrossResolutionAttention
from .depthwise_ffn import DepthwiseFFN
from .external_attention import MultiHeadExternalAttention
from .fast_attention import (
    ChannelSelfAttention,
    FastAttention,
    NoAttention,
    SoftmaxSelfAttention,
)
from .flow_aligned_interpolation import FlowAlignedInterpolation
from .gpu_friendly_attention import GPUFriendlyAttention
from .grouped_double_normalization import grouped_double_normalization
from .guided_attention import (
    GuidedDenseAttention,
    GuidedSampledAttention,
    OfficialDenseAttention,
)
from .guided_attentive_interpolation import (
    BilinearInterpolation,
    GuidedAttentiveInterpolation,
    GuideQueryInterpolation,
    SemanticQueryInterpolation,
)
from .image_size import check_image_size
from .linformer_attention import LinformerAttention
from .local_attention import (
    global_attention,
    local_attention,
    local_attention_reference,
    local_attention_weights,
)
from .memory_format import channels_last_on_cpu
from .memory_fusion import (
    BlendFusion,
    ConcatFusion,
    GatedFusion,
    ReducedGatedFusion,
)
from .nystrom_attention import NystromAttention
from .pre_norm_attention import PreNormAttention
from .spatial_reduction_attention import SpatialReductionAttention
from .stage_blocks import (
    ConvResBlock,
    GFABlock,
    MSCANBlock,
    SegFormerBlock,
)

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
    'channels_last_on_cpu',
    'check_image_size',
    'conv_norm_act',
    'global_attention',
    'grouped_double_normalization',
    'local_attention',
    'local_attention_reference',
    'local_attention_weights',
]
