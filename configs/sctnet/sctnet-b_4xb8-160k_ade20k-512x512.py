# SCTNet-B on ADE20K, Table 2: 43.0 mIoU (official repository: 43.04).
#   mim train rtseg_plugin sctnet-b_4xb8-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/sctnet-b_imagenet.pth (backbone, ImageNet) and
# checkpoints/teacher_segformer_mit-b3_ade20k.pth, see README.md here.
_base_ = [
    '../_base_/models/sctnet-b.py', '../_base_/datasets/ade20k_512x512.py',
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
        checkpoint='checkpoints/teacher_segformer_mit-b3_ade20k.pth'))
