# SCTNet-S-Seg50 of Table 1, https://arxiv.org/abs/2312.17071: 72.8 mIoU
# (official repository: 72.94) on Cityscapes val, tested at 512x1024.
#   mim train rtseg_plugin sctnet-s-seg50_2xb8-160k_cityscapes-512x1024.py \
#       --launcher pytorch --gpus 2
# Needs checkpoints/sctnet-s_imagenet.pth (backbone, ImageNet) and
# checkpoints/teacher_segformer_mit-b2_cityscapes.pth, see README.md here.
_base_ = [
    '../_base_/models/sctnet-s.py',
    '../_base_/datasets/cityscapes_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_160k.py'
]
model = dict(backbone=dict(init_cfg=_base_.imagenet))
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.resize.ratio_range = (0.25, 1.5)
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_steps.resize.scale = (1024, 512)
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
