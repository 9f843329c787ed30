# SCTNet-B on ImageNet-1K, as SCTNet-S in this folder.
#   mim train mmpretrain \
#       configs/sctnet/pretrain/sctnet-b_8xb128-300e_imagenet-224x224.py
_base_ = './sctnet-s_8xb128-300e_imagenet-224x224.py'
model = dict(backbone=dict(arch='base'), head=dict(in_channels=256))
