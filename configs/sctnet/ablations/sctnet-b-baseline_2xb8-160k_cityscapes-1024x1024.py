# Table 6, baseline: 76.4 mIoU. ResBlocks, no teacher.
# Needs checkpoints/sctnet-b-resblock_imagenet.pth, which
# sctnet-b-resblock_8xb128-300e_imagenet-224x224.py trains.
_base_ = './sctnet-b-no-teacher_2xb8-160k_cityscapes-1024x1024.py'
model = dict(
    backbone=dict(
        block=dict(type='ConvResBlock'),
        init_cfg=dict(
            checkpoint='checkpoints/sctnet-b-resblock_imagenet.pth')))
