# Table 5d: 6 x 6 tokens in the cross-resolution attention (8 x 8: 33.00).
# 32.85 mIoU.
_base_ = './rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py'
model = dict(backbone=dict(high_attention=dict(cross_size=6)))
