# Table 4, CFBlock: 79.4 mIoU, not pre-trained on ImageNet. The other rows of
# Tables 4 and 8 differ from it in the block.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
model = dict(
    backbone=dict(
        init_cfg=dict(_delete_=True, type='Kaiming', layer='Conv2d')))
