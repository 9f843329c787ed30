"""The inference form of a network: the same numbers in fewer passes.

Network files say what the papers say. What makes them fast, and only in
inference, is decided here: batch norms join the convolutions before or behind
them, activations and sums join the convolutions, weights are laid out once,
features have the layout that the processor prefers, 1x1 convolutions go
before a resize, and logits are resized by a faster routine.
"""
from .convert import to_inference
from .upsample import resize_logits, upsample_logits

__all__ = ['resize_logits', 'to_inference', 'upsample_logits']
