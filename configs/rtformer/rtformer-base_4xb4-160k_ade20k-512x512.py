# RTFormer-Base on ADE20K, Table 3 of https://arxiv.org/abs/2210.07124: 42.1
# mIoU on val (official repository: 42.02, flip 42.43, multi-scale and flip
# 42.97). As the official config.
#   mim train rtseg_plugin rtformer-base_4xb4-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/rtformer-base_imagenet.pth (backbone), see README.md here.
_base_ = [
    '../_base_/models/rtformer-base.py',
    '../_base_/datasets/ade20k-rtformer_512x512.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-ratio_160k.py'
]
model = dict(
    data_preprocessor=dict(size=(512, 512)),
    backbone=dict(
        drop_path_rate=0.1,
        init_cfg=_base_.imagenet),
    decode_head=dict(num_classes=150),
    auxiliary_head=dict(num_classes=150))
train_dataloader = dict(batch_size=4, num_workers=4)
