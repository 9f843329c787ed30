# Pyramid pooling as context.
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    neck=dict(context=dict(type='PyramidPoolingContext')))
