# Table 4, GFABlock: 78.5 mIoU (CFBlock: 79.4), not pre-trained.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
model = dict(
    backbone=dict(
        block=dict(type='GFABlock'),
        init_cfg=dict(_delete_=True, type='Kaiming', layer='Conv2d')))
