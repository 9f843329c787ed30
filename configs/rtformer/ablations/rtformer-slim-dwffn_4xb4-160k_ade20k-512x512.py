# Table 5b: two linear layers and a depthwise convolution as feed-forward part.
# 32.15 mIoU.
_base_ = './rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py'
model = dict(backbone=dict(ffn=dict(_delete_=True, type='DepthwiseFFN')))
