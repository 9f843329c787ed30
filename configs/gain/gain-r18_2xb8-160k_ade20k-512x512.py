# GAIN with ResNet-18 on ADE20K: 39.12 mIoU on val (a public index, second
# hand).
#   mim train rtseg_plugin gain-r18_2xb8-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 2
# Needs checkpoints/gain-r18_imagenet.pth (encoder), see README.md here.
_base_ = [
    '../_base_/models/gain-r18.py',
    '../_base_/datasets/ade20k-gain_512x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly-gain_160k.py'
]
# 100 000 pixels per image
loss_decode = dict(_base_.loss_decode, min_kept_ratio=100000 / (512 * 512))
model = dict(
    # test images are padded to a multiple of 32
    data_preprocessor=dict(size=(512, 512), test_cfg=dict(size_divisor=32)),
    backbone=dict(init_cfg=_base_.imagenet),
    decode_head=dict(num_classes=150, loss_decode=loss_decode),
    auxiliary_head=[
        dict(head, num_classes=150, loss_decode=loss_decode)
        for head in _base_.model.auxiliary_head
    ])
