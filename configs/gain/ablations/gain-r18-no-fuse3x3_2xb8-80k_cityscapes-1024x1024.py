# No 3x3 convolution in the fusion.
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(decode_head=dict(fuse_3x3=False))
