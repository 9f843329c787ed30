# Table II, S=4 R=11: 73.21 at work size.
# First stage.
_base_ = '../lmanet-erfnet-s4-r21_stage1_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(window_size=11))
