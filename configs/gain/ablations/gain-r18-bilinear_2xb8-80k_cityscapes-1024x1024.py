# No attention (BL): GAI gains up to 1.8 points over it (a public summary).
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(neck=dict(interpolation=dict(type='BilinearInterpolation')))
