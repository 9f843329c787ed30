# Table 8, kernels 1x1: 78.4 mIoU (1x7 + 7x1: 79.4), not pre-trained.
_base_ = './sctnet-b-scratch_2xb8-160k_cityscapes-1024x1024.py'
model = dict(
    backbone=dict(block=dict(type='CFBlock', kernel_shapes=((1, 1), ))))
