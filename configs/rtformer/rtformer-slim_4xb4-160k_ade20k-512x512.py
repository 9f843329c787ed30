# RTFormer-Slim on ADE20K, Table 3 of https://arxiv.org/abs/2210.07124: 36.7
# mIoU on val (official repository: 36.67, flip 37.32, multi-scale and flip
# 37.58). As the official config.
#   mim train rtseg_plugin rtformer-slim_4xb4-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/rtformer-slim_imagenet.pth (backbone), see README.md here.
_base_ = [
    '../_base_/models/rtformer-slim.py',
    '../_base_/datasets/ade20k-rtformer_512x512.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-ratio_160k.py'
]
model = dict(
    data_preprocessor=dict(size=(512, 512)),
    backbone=dict(
        inject=(True, False),
        high_attention=dict(cross_size=8),
        drop_path_rate=0.1,
        init_cfg=_base_.imagenet),
    decode_head=dict(num_classes=150),
    auxiliary_head=dict(num_classes=150))
train_dataloader = dict(batch_size=4, num_workers=4)
