from .depthwise_ffn import DepthwiseFFN
from .external_attention import MultiHeadExternalAttention
from .flow_aligned_interpolation import FlowAlignedInterpolation
from .guided_attention import (
    GuidedDenseAttention,
    GuidedSampledAttention,
    OfficialDenseAttention,
)
from .interpolations import (
    BilinearInterpolation,
    GuideQueryInterpolation,
    SemanticQueryInterpolation,
)
from .linformer_attention import LinformerAttention
from .nystrom_attention import NystromAttention
from .pre_norm_attention import PreNormAttention
from .self_attention import (
    ChannelSelfAttention,
    NoAttention,
    SoftmaxSelfAttention,
)
from .spatial_reduction_attention import SpatialReductionAttention
from .stage_blocks import ConvResBlock, GFABlock, MSCANBlock, SegFormerBlock

__all__ = [
    'BilinearInterpolation',
    'ChannelSelfAttention',
    'ConvResBlock',
    'DepthwiseFFN',
    'FlowAlignedInterpolation',
    'GFABlock',
    'GuideQueryInterpolation',
    'GuidedDenseAttention',
    'GuidedSampledAttention',
    'LinformerAttention',
    'MSCANBlock',
    'MultiHeadExternalAttention',
    'NoAttention',
    'NystromAttention',
    'OfficialDenseAttention',
    'PreNormAttention',
    'SegFormerBlock',
    'SemanticQueryInterpolation',
    'SoftmaxSelfAttention',
    'SpatialReductionAttention',
]
