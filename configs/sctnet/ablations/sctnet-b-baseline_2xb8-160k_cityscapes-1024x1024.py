# Table 6, baseline: 76.4 mIoU. ResBlocks, no teacher.
_base_ = './sctnet-b-no-teacher_2xb8-160k_cityscapes-1024x1024.py'
model = dict(backbone=dict(block=dict(type='ConvResBlock')))
