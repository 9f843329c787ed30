# No dilation in the last stage (r18 gap fuse3x3 of the official code).
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(backbone=dict(dilations=(1, 1, 1, 1)))
