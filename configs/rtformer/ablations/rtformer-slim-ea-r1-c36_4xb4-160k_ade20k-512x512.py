# Table 8: external attention on both branches, r = 1, 36 base channels. 32.8
# mIoU.
_base_ = './rtformer-slim-ea-r1_4xb4-160k_ade20k-512x512.py'
model = dict(
    backbone=dict(
        arch=dict(_delete_=True, base_channels=36, spp_channels=128)),
    decode_head=dict(in_channels=144, channels=144),
    auxiliary_head=dict(in_channels=72, channels=72))
