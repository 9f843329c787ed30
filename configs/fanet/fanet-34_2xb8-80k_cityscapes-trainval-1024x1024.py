# FANet-34 of Table IV: 75.5 on Cityscapes test. The article does not
# say what it trained on for it.
#   mim train rtseg_plugin fanet-34_2xb8-80k_cityscapes-trainval-1024x1024.py \
#       --launcher pytorch --gpus 2
#   mim test rtseg_plugin fanet-34_2xb8-80k_cityscapes-trainval-1024x1024.py \
#       --checkpoint X.pth
_base_ = [
    '../_base_/models/fanet-34.py',
    '../_base_/datasets/cityscapes-trainval-fanet_1024x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly_80k.py'
]
