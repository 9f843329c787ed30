# SCTNet-S on CamVid at half its size, from a backbone that has seen rendered
# streets: `sctnet-s-street`, which comes with the package.
#   mim train rtseg_plugin sctnet-s-street_1xb6-2k_camvid-360x480.py
_base_ = './sctnet-s-plain_1xb6-2k_camvid-360x480.py'
# 1 / log(1.02 + share of the training pixels), as ENet weighs; 1 in the mean
# over the pixels. What check_dataset writes for data of one's own.
class_weight = [
    0.799, 0.613, 4.789, 0.477, 2.21, 1.247, 4.5, 4.567, 1.83, 5.423, 6.265
]
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='rtseg_plugin://sctnet-s-street')),
    decode_head=dict(loss_decode=dict(class_weight=class_weight)),
    auxiliary_head=dict(loss_decode=dict(class_weight=class_weight)))
