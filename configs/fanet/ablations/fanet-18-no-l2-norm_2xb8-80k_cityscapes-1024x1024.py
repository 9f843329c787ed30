# Table III, FA w/o L2-norm: 74.1 mIoU, 72 fps.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(neck=dict(attention=dict(l2_norm=False)))
