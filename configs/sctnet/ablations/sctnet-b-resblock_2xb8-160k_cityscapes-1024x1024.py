# Table 4, ResBlock: 77.9 mIoU (CFBlock: 79.4), not pre-trained.
_base_ = './sctnet-b-scratch_2xb8-160k_cityscapes-1024x1024.py'
model = dict(backbone=dict(block=dict(type='ConvResBlock')))
