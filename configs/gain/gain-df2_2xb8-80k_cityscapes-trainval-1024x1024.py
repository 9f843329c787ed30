# GAIN with DFNet-2, for the test server of Cityscapes. What is public of
# the paper gives no figure for it.
#   mim train rtseg_plugin gain-df2_2xb8-80k_cityscapes-trainval-1024x1024.py \
#       --launcher pytorch --gpus 2
#   mim test rtseg_plugin gain-df2_2xb8-80k_cityscapes-trainval-1024x1024.py \
#       --checkpoint X.pth
# Needs checkpoints/gain-df2_imagenet.pth (encoder), see README.md here.
_base_ = [
    '../_base_/models/gain-df2.py',
    '../_base_/datasets/cityscapes-trainval-gain_1024x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly-gain_80k.py'
]
model = dict(backbone=dict(init_cfg=_base_.imagenet))
