# Queries of the guide alone (CC-B), as the text of the paper has them.
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    neck=dict(interpolation=dict(type='GuideQueryInterpolation')))
