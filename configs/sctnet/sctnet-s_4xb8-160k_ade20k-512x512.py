# SCTNet-S on ADE20K, Table 3: 37.7 mIoU (official repository: 37.91).
#   mim train rtseg_plugin sctnet-s_4xb8-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/sctnet-s_imagenet.pth (backbone, ImageNet) and
# checkpoints/teacher_segformer_mit-b2_ade20k.pth, see README.md here.
# The rule 'norm' means what it means in the official config: it exempts the
# norms of the Conv-Former blocks from weight decay, and nothing else.
_base_ = [
    '../_base_/models/sctnet-s.py', '../_base_/datasets/ade20k_512x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_160k.py'
]
model = dict(
    data_preprocessor=dict(size=(512, 512)),
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='checkpoints/sctnet-s_imagenet.pth')),
    decode_head=dict(num_classes=150),
    auxiliary_head=dict(num_classes=150),
    teacher=dict(
        config=dict(decode_head=dict(num_classes=150)),
        checkpoint='checkpoints/teacher_segformer_mit-b2_ade20k.pth'))
optim_wrapper = dict(
    optimizer=dict(lr=5e-4, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys={'norm': dict(decay_mult=0.)}))
param_scheduler = _base_.param_scheduler
param_scheduler[1].eta_min = 0.
train_cfg = dict(val_interval=8000)
default_hooks = dict(checkpoint=dict(interval=4000))
