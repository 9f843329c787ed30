# Table III, Channel-Att.: 74.6 mIoU, 70 fps.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(neck=dict(attention=dict(type='ChannelSelfAttention')))
