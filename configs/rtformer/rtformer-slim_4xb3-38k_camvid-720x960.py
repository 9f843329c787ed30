# RTFormer-Slim on CamVid, trained on train and val, Table 2 of
# https://arxiv.org/abs/2210.07124: 81.4 mIoU on test. There is no official
# config: 968 epochs of 39 iterations as in the paper, which refers to
# Cityscapes for all that it does not say.
#   mim train rtseg_plugin rtformer-slim_4xb3-38k_camvid-720x960.py \
#       --launcher pytorch --gpus 4
# Needs checkpoints/rtformer-slim_imagenet.pth (backbone), see README.md here.
_base_ = [
    '../_base_/models/rtformer-slim.py',
    '../_base_/datasets/camvid-trainval-rtformer_720x960.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-ratio_38k.py'
]
model = dict(
    data_preprocessor=dict(size=(720, 960)),
    backbone=dict(
        inject=(True, False),
        high_attention=dict(cross_size=8),
        init_cfg=_base_.imagenet),
    decode_head=dict(num_classes=11),
    auxiliary_head=dict(num_classes=11))
train_dataloader = dict(batch_size=3, num_workers=4)
