# Table III, Self-Att.: 75.1 mIoU, 8 fps.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(neck=dict(attention=dict(type='SoftmaxSelfAttention')))
