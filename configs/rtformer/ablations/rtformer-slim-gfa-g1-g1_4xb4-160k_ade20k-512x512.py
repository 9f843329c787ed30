# Table 5c: GFA on both branches, 1 and 1 groups. 32.2 mIoU.
_base_ = './rtformer-slim-gfa_4xb4-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        low_attention=dict(groups=1), high_attention=dict(groups=1)))
