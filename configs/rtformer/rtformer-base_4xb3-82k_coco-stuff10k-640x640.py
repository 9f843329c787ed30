# RTFormer-Base on COCO-Stuff-10K, Table 4 of https://arxiv.org/abs/2210.07124:
# 35.3 mIoU. There is no official config: 110 epochs of 750 iterations as in
# the paper, 171 annotated classes of its 182. "All else as on Cityscapes" is
# read as the power 0.9 that the paper states there and the code does not use,
# and as random scaling from a short side of 640 on.
#   mim train rtseg_plugin rtformer-base_4xb3-82k_coco-stuff10k-640x640.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/rtformer-base_imagenet.pth (backbone), see README.md here.
_base_ = [
    '../_base_/models/rtformer-base.py',
    '../_base_/datasets/coco-stuff10k-jitter_640x640.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-ratio_120k.py'
]
model = dict(
    data_preprocessor=dict(size=(640, 640)),
    backbone=dict(
        init_cfg=[
            _base_.init_cfg,
            dict(
                type='Pretrained',
                checkpoint='checkpoints/rtformer-base_imagenet.pth',
                prefix='backbone.')
        ]),
    decode_head=dict(num_classes=171),
    auxiliary_head=dict(num_classes=171))
train_dataloader = dict(batch_size=3, num_workers=4)
optim_wrapper = dict(optimizer=dict(lr=1e-4, weight_decay=0.05))
param_scheduler = _base_.param_scheduler
param_scheduler[0].start_factor = 1e-6 / 1e-4
param_scheduler[1].update(
    eta_min_ratio=1e-6 / 1e-4, power=0.9, end=110 * 750 + 1)
train_cfg = dict(max_iters=110 * 750, val_interval=5 * 750)
default_hooks = dict(checkpoint=dict(interval=5 * 750))
