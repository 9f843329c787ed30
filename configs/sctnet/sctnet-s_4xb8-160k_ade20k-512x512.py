# SCTNet-S on ADE20K, Table 2: 37.7 mIoU (official repository: 37.91).
#   mim train rtseg_plugin sctnet-s_4xb8-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/sctnet-s_imagenet.pth (backbone, ImageNet) and
# checkpoints/teacher_segformer_mit-b2_ade20k.pth, see README.md here.
_base_ = [
    '../_base_/models/sctnet-s.py', '../_base_/datasets/ade20k_512x512.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-undecayed-norms_160k.py'
]
model = dict(
    data_preprocessor=dict(size=(512, 512)),
    backbone=dict(init_cfg=_base_.imagenet),
    decode_head=dict(num_classes=150),
    auxiliary_head=dict(num_classes=150),
    teacher=dict(
        config=dict(decode_head=dict(num_classes=150)),
        checkpoint='checkpoints/teacher_segformer_mit-b2_ade20k.pth'))
