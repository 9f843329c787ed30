# FANet-34 of Tables IV and VI: 76.3 mIoU on Cityscapes val, 75.5 on test.
#   mim train rtseg_plugin fanet-34_2xb8-80k_cityscapes-1024x1024.py \
#       --launcher pytorch --gpus 2
# The article leaves crop, iterations and loss open; see the README.
_base_ = [
    '../_base_/models/fanet-34.py',
    '../_base_/datasets/cityscapes-fanet_1024x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly_80k.py'
]
