# RTFormer-Slim on Cityscapes, Table 2 of https://arxiv.org/abs/2210.07124:
# 76.3 mIoU on val (official repository: 76.31, flip 77.05, multi-scale and
# flip 77.91). As the official config, 12 x 12 tokens and injection after both
# blocks included; the paper says 8 x 8 and does not mention injection.
#   mim train rtseg_plugin rtformer-slim_4xb3-120k_cityscapes-512x1024.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/rtformer-slim_imagenet.pth (backbone), see README.md here.
_base_ = [
    '../_base_/models/rtformer-slim.py',
    '../_base_/datasets/cityscapes-rtformer_512x1024.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-ratio_120k.py'
]
model = dict(backbone=dict(init_cfg=_base_.imagenet))
train_dataloader = dict(batch_size=3, num_workers=4)
