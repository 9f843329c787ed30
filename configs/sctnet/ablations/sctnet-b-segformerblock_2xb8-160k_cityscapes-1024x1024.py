# Table 4, SegFormerBlock: 77.7 mIoU (CFBlock: 79.4), not pre-trained. Keys and
# values reduced by 4 in each direction: the paper does not say, but so the
# parameters are its 22.2 M.
_base_ = './sctnet-b-scratch_2xb8-160k_cityscapes-1024x1024.py'
model = dict(backbone=dict(block=dict(type='SegFormerBlock', sr_ratio=4)))
