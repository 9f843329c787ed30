# Table 5a and 5c: GFA on both branches, 8 and 2 groups. 32.8 mIoU.
_base_ = './rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        high_attention=dict(
            _delete_=True,
            type='GPUFriendlyAttention',
            groups=2)))
