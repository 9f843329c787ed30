# RTFormer-Base on ADE20K, Table 3 of https://arxiv.org/abs/2210.07124: 42.1
# mIoU on val (official repository: 42.02, flip 42.43, multi-scale and flip
# 42.97). As the official config.
#   mim train rtseg_plugin rtformer-base_4xb4-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/rtformer-base_imagenet.pth (backbone), see README.md here.
_base_ = [
    '../_base_/models/rtformer-base.py',
    '../_base_/datasets/ade20k-jitter_512x512.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-ratio_120k.py'
]
model = dict(
    data_preprocessor=dict(size=(512, 512)),
    backbone=dict(
        drop_path_rate=0.1,
        init_cfg=[
            _base_.init_cfg,
            dict(
                type='Pretrained',
                checkpoint='checkpoints/rtformer-base_imagenet.pth',
                prefix='backbone.')
        ]),
    decode_head=dict(num_classes=150),
    auxiliary_head=dict(num_classes=150))
train_dataloader = dict(batch_size=4, num_workers=4)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
param_scheduler = _base_.param_scheduler
param_scheduler[0].start_factor = 1e-6 / 1e-4
param_scheduler[1].update(eta_min_ratio=1e-7 / 1e-4, end=160000 + 1)
train_cfg = dict(max_iters=160000, val_interval=8000)
default_hooks = dict(checkpoint=dict(interval=8000))
