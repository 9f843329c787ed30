# RTFormer-Base on ImageNet-1K, Tables 6 and 7 of
# https://arxiv.org/abs/2210.07124: 77.4 % top-1.
_base_ = './rtformer-slim_8xb128-300e_imagenet-224x224.py'
model = dict(
    backbone=dict(arch='base', inject=(True, False)),
    head=dict(in_channels=256))
