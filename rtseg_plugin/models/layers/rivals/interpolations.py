"""Rivals of :class:`.GuidedAttentiveInterpolation`, with its interface.

References of the ablations of `GAIN <https://arxiv.org/abs/2601.01167>`_;
official repository: hustvl/simpleseg (no licence file).
"""
from mmseg.registry import MODELS
from torch import Tensor

from ..gain.guided_attentive_interpolation import (
    GuidedAttentiveInterpolation,
    Interpolation,
)


@MODELS.register_module()
class BilinearInterpolation(Interpolation):
    """GAI without attention (``ATTN_TYPE`` "BL"): act(norm(conv [V ; U])).

    The guide gives nothing but the size. Arguments as :class:`.Interpolation`.
    """


@MODELS.register_module()
class GuideQueryInterpolation(GuidedAttentiveInterpolation):
    """GAI with queries of the guide alone (``ATTN_TYPE`` "CC-B").

    The form that the text of the paper describes. Arguments as
    :class:`.GuidedAttentiveInterpolation`.
    """

    def _query_channels(self) -> int:
        return self.guide_channels

    def query(self, guide: Tensor, resized: Tensor) -> Tensor:
        """L, of shape (N, guide_channels, H, W)."""
        return guide


@MODELS.register_module()
class SemanticQueryInterpolation(GuidedAttentiveInterpolation):
    """GAI with queries of the resized feature alone (``ATTN_TYPE`` "CC-C").

    The guide gives nothing but the size. Arguments as
    :class:`.GuidedAttentiveInterpolation`.
    """

    def _query_channels(self) -> int:
        return self.channels

    def query(self, guide: Tensor, resized: Tensor) -> Tensor:
        """U, of shape (N, channels, H, W)."""
        return resized
