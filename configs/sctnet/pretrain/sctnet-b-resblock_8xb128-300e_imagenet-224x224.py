# SCTNet-B with residual blocks on ImageNet-1K, which Table 6's baseline
# starts from.
#   cd configs/sctnet/pretrain; mim train mmpretrain \
#       ./sctnet-b-resblock_8xb128-300e_imagenet-224x224.py
_base_ = './sctnet-b_8xb128-300e_imagenet-224x224.py'
model = dict(backbone=dict(block=dict(type='ConvResBlock')))
