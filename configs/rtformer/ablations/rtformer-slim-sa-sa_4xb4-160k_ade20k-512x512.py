# Table 5a: self-attention on both branches, keys and values of the high one
# reduced by 4. 32.7 mIoU.
_base_ = './rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        low_attention=dict(
            _delete_=True,
            type='SpatialReductionAttention',
            num_heads=8,
            reduction=1),
        high_attention=dict(
            _delete_=True,
            type='SpatialReductionAttention',
            num_heads=2,
            reduction=4)))
