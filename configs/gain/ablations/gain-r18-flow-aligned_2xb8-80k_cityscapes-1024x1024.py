# Semantic-flow warp (Align) in place of GAI.
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    neck=dict(interpolation=dict(type='FlowAlignedInterpolation')))
