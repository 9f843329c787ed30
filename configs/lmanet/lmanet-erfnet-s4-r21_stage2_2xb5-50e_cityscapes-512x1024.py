# LMANet on ERFNet, second stage: the decoder learns too, the encoder stays.
# Table I, S=4 R=21: 73.72 at work size on Cityscapes val at 512x1024. The
# published lmanet_erf_best.pth is for this config, after lmanet2mmseg.py.
#   mim train rtseg_plugin \
#       lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py \
#       --gpus 2 --launcher pytorch
_base_ = './lmanet-erfnet-s4-r21_stage1_2xb5-50e_cityscapes-512x1024.py'
custom_hooks = [
    *_base_.plugin_hooks,
    dict(_base_.frozen, prefixes=['backbone'])
]
load_from = ('work_dirs/lmanet-erfnet-s4-r21_stage1_2xb5-50e_cityscapes-'
             '512x1024/epoch_50.pth')
