# SCTNet-B on COCO-Stuff-10K: 35.9 mIoU (official repository: 35.91). The
# paper swaps learning rate and weight decay; these are the official config's.
#   mim train rtseg_plugin sctnet-b_4xb4-160k_coco-stuff10k-640x640.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/sctnet-b_imagenet.pth (backbone, ImageNet) and
# checkpoints/teacher_segformer_mit-b3_coco-stuff10k.pth, see README.md here.
_base_ = [
    '../_base_/models/sctnet-b.py',
    '../_base_/datasets/coco-stuff10k_640x640.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_160k.py'
]
model = dict(
    data_preprocessor=dict(size=(640, 640)),
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='checkpoints/sctnet-b_imagenet.pth')),
    decode_head=dict(num_classes=171),
    auxiliary_head=dict(num_classes=171),
    teacher=dict(
        config=dict(decode_head=dict(num_classes=171)),
        checkpoint='checkpoints/teacher_segformer_mit-b3_coco-stuff10k.pth'))
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(
    optimizer=dict(lr=6e-5, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys={'norm': dict(decay_mult=0.)}))
param_scheduler = _base_.param_scheduler
param_scheduler[1].eta_min = 0.
train_cfg = dict(val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
