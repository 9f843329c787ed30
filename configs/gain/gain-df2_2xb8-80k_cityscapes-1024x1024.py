# GAIN with DFNet-2. What is public of the paper gives no figure for it.
#   mim train rtseg_plugin gain-df2_2xb8-80k_cityscapes-1024x1024.py \
#       --launcher pytorch --gpus 2
_base_ = [
    '../_base_/models/gain-df2.py',
    '../_base_/datasets/gain_cityscapes_1024x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/gain-sgd-poly_80k.py'
]
