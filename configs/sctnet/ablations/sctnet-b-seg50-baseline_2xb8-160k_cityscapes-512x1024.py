# Table 6, baseline, at Seg50: 73.0 mIoU (tested at 768x1536, Seg75: 76.0).
_base_ = './sctnet-b-seg50-no-teacher_2xb8-160k_cityscapes-512x1024.py'
model = dict(
    backbone=dict(
        block=dict(type='ConvResBlock'),
        init_cfg=dict(
            checkpoint='checkpoints/sctnet-b-resblock_imagenet.pth')))
