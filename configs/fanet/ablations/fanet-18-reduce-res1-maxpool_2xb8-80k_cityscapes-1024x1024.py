# Section IV-C, Res-1 by max pooling: 74.2 mIoU.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    backbone=dict(strides=(1, 2, 2, 2), pools=('max', None, None, None)))
