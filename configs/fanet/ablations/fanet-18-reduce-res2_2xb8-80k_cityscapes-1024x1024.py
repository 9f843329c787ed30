# Fig. 3, Res-2.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(backbone=dict(strides=(1, 4, 2, 2)))
