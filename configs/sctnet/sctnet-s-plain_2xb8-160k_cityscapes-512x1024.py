# SCTNet-S without a teacher and from scratch: what to start from with data of
# one's own. No published result (SCTNet-B without a teacher, but pre-trained:
# 75.2 at this size).
#   mim train rtseg_plugin sctnet-s-plain_2xb8-160k_cityscapes-512x1024.py \
#       --launcher pytorch --gpus 2
_base_ = [
    '../_base_/models/sctnet-s_plain.py',
    '../_base_/datasets/cityscapes_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_160k.py'
]
model = dict(
    backbone=dict(init_cfg=dict(type='Kaiming', layer='Conv2d')))
