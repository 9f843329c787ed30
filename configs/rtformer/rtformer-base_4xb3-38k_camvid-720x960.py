# RTFormer-Base on CamVid, trained on train and val, Table 2 of
# https://arxiv.org/abs/2210.07124: 82.5 mIoU on test. There is no official
# config: 968 epochs of 39 iterations as in the paper, which refers to
# Cityscapes for all that it does not say.
#   mim train rtseg_plugin rtformer-base_4xb3-38k_camvid-720x960.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/rtformer-base_imagenet.pth (backbone), see README.md here.
_base_ = [
    '../_base_/models/rtformer-base.py',
    '../_base_/datasets/camvid-trainval-jitter_720x960.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-ratio_120k.py'
]
model = dict(
    data_preprocessor=dict(size=(720, 960)),
    backbone=dict(
        init_cfg=[
            _base_.init_cfg,
            dict(
                type='Pretrained',
                checkpoint='checkpoints/rtformer-base_imagenet.pth',
                prefix='backbone.')
        ]),
    decode_head=dict(num_classes=11),
    auxiliary_head=dict(num_classes=11))
train_dataloader = dict(batch_size=3, num_workers=4)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))
param_scheduler = _base_.param_scheduler
param_scheduler[0].start_factor = 1e-6 / 1e-3
param_scheduler[1].update(eta_min_ratio=1e-6 / 1e-3, end=968 * 39 + 1)
train_cfg = dict(max_iters=968 * 39, val_interval=50 * 39)
default_hooks = dict(checkpoint=dict(interval=50 * 39))
