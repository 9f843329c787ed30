# GAIN with ResNet-18 on PASCAL-Context, 59 classes. The official code has
# neither loader nor configuration: crops and length are the host's, all else
# is as on ADE20K. 47.48 on val is the best row of a public
# index, second hand.
#   mim train rtseg_plugin gain-r18_2xb8-80k_pascal-context59-480x480.py \
#       --launcher pytorch --gpus 2
# Needs checkpoints/gain-r18_imagenet.pth (encoder), see README.md here.
_base_ = [
    '../_base_/models/gain-r18.py',
    '../_base_/datasets/pascal-context59-gain_480x480.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly-gain_80k.py'
]
# 100 000 pixels per image
loss_decode = dict(_base_.loss_decode, min_kept_ratio=100000 / (480 * 480))
model = dict(
    # test images are padded to a multiple of 32
    data_preprocessor=dict(size=(480, 480), test_cfg=dict(size_divisor=32)),
    backbone=dict(init_cfg=_base_.imagenet),
    decode_head=dict(num_classes=59, loss_decode=loss_decode),
    auxiliary_head=[
        dict(head, num_classes=59, loss_decode=loss_decode)
        for head in _base_.model.auxiliary_head
    ])
