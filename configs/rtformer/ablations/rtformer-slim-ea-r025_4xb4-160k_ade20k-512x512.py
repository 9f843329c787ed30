# Table 5a: external attention with heads on both branches, r = 0.25. 32.0
# mIoU.
_base_ = './rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        low_attention=dict(
            _delete_=True,
            type='MultiHeadExternalAttention',
            num_heads=8,
            ratio=0.25),
        high_attention=dict(
            _delete_=True,
            type='MultiHeadExternalAttention',
            num_heads=2,
            ratio=0.25)))
