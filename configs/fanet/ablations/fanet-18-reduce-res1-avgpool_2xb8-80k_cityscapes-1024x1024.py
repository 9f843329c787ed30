# Section IV-C, Res-1 by average pooling: 72.9 mIoU.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    backbone=dict(strides=(1, 2, 2, 2), pools=('avg', None, None, None)))
