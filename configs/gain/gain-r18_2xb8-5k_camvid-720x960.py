# GAIN with ResNet-18: 80.6 mIoU on CamVid test, 64.5 fps on a 1080 Ti
# (abstract, which does not name the encoder). Trained on train and val; no
# context, no 3x3 fusion, no dilation.
#   mim train rtseg_plugin gain-r18_2xb8-5k_camvid-720x960.py \
#       --launcher pytorch --gpus 2
# The official code can start from its Cityscapes checkpoint: load_from.
# Needs checkpoints/gain-r18_imagenet.pth (encoder), see README.md here.
_base_ = [
    '../_base_/models/gain-r18.py',
    '../_base_/datasets/camvid-trainval-gain_720x960.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly-gain_5k.py'
]
# 100 000 pixels per image
loss_decode = dict(_base_.loss_decode, min_kept_ratio=100000 / (720 * 960))
model = dict(
    data_preprocessor=dict(size=(720, 960)),
    backbone=dict(dilations=(1, 1, 1, 1), init_cfg=_base_.imagenet),
    neck=dict(context=None),
    decode_head=dict(num_classes=11, fuse_3x3=False, loss_decode=loss_decode),
    auxiliary_head=[
        dict(head, num_classes=11, loss_decode=loss_decode)
        for head in _base_.model.auxiliary_head
    ])
