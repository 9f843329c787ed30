# GAIN with ResNet-18: 78.2 on Cityscapes test (a public index, second
# hand).
#   mim train rtseg_plugin gain-r18_2xb8-80k_cityscapes-trainval-1024x1024.py \
#       --launcher pytorch --gpus 2
#   mim test rtseg_plugin gain-r18_2xb8-80k_cityscapes-trainval-1024x1024.py \
#       --checkpoint X.pth
# Needs checkpoints/gain-r18_imagenet.pth (encoder), see README.md here.
_base_ = [
    '../_base_/models/gain-r18.py',
    '../_base_/datasets/cityscapes-trainval-gain_1024x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly-gain_80k.py'
]
model = dict(backbone=dict(init_cfg=_base_.imagenet))
