# Table 8: Nystrom attention with 32 landmarks on both branches. 32.9 mIoU.
_base_ = './rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        low_attention=dict(
            _delete_=True,
            type='NystromAttention',
            num_heads=8,
            num_landmarks=32),
        high_attention=dict(
            _delete_=True,
            type='NystromAttention',
            num_heads=2,
            num_landmarks=32)))
