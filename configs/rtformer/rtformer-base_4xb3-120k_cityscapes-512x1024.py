# RTFormer-Base on Cityscapes, Table 2 of https://arxiv.org/abs/2210.07124:
# 79.3 mIoU on val (official repository: 79.24, flip 79.80, multi-scale and
# flip 80.48). As the official config.
#   mim train rtseg_plugin rtformer-base_4xb3-120k_cityscapes-512x1024.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/rtformer-base_imagenet.pth (backbone), see README.md here.
_base_ = [
    '../_base_/models/rtformer-base.py',
    '../_base_/datasets/cityscapes-rtformer_512x1024.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-ratio_120k.py'
]
model = dict(backbone=dict(init_cfg=_base_.imagenet))
train_dataloader = dict(batch_size=3, num_workers=4)
