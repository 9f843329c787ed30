# Table 8: Linformer attention on both branches. 32.4 mIoU.
_base_ = './rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        low_attention=dict(
            _delete_=True,
            type='LinformerAttention',
            num_heads=8,
            size=(16, 16)),
        high_attention=dict(
            _delete_=True,
            type='LinformerAttention',
            num_heads=2,
            size=(64, 64))))
