# Fig. 3, None: no extra halving, slower.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(backbone=dict(strides=(1, 2, 2, 2)))
