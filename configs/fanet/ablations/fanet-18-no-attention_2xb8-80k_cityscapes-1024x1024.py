# Table III, w/o Att.: 72.7 mIoU, 83 fps.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(neck=dict(attention=dict(type='NoAttention')))
