# LMANet on PSPNet-101, second stage: pyramid and classifier learn too. Table
# V, S=3 R=21: 78.48 at work size on Cityscapes val, single scale. The
# published lmanet_psp101_best.pth is for this config, after lmanet2mmseg.py.
#   mim train rtseg_plugin \
#       lmanet-psp101-s3-r21_stage2_6xb1-50e_cityscapes-1025x2049.py \
#       --gpus 6 --launcher pytorch
_base_ = './lmanet-psp101-s3-r21_stage1_6xb1-50e_cityscapes-1025x2049.py'
custom_hooks = [
    *_base_.plugin_hooks,
    dict(_base_.frozen, prefixes=['backbone'])
]
load_from = ('work_dirs/lmanet-psp101-s3-r21_stage1_6xb1-50e_cityscapes-'
             '1025x2049/epoch_50.pth')
