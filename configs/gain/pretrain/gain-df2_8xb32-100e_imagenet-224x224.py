# GAIN's DFNet-2 on ImageNet-1K, as its ResNet-18 in this folder.
#   mim train mmpretrain \
#       configs/gain/pretrain/gain-df2_8xb32-100e_imagenet-224x224.py
_base_ = './gain-r18_8xb32-100e_imagenet-224x224.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmseg.DFNet',
        arch='df2',
        out_indices=(3, ),
        norm_cfg=dict(type='BN', requires_grad=True)))
