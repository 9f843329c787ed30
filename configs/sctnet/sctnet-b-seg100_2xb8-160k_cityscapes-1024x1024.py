# SCTNet-B-Seg100 of Table 1: 80.5 mIoU (official repository: 80.51) on
# Cityscapes val, trained on crops of 1024x1024 and tested at 1024x2048.
#   mim train rtseg_plugin \
#       sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py \
#       --launcher pytorch --gpus 2
# Needs checkpoints/sctnet-b_imagenet.pth (backbone, ImageNet) and
# checkpoints/teacher_segformer_mit-b3_cityscapes.pth, see README.md here.
_base_ = [
    '../_base_/models/sctnet-b.py',
    '../_base_/datasets/cityscapes_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_160k.py'
]
crop_size = (1024, 1024)
model = dict(
    data_preprocessor=dict(size=crop_size),
    backbone=dict(init_cfg=_base_.imagenet))
train_steps = _base_.train_steps
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
