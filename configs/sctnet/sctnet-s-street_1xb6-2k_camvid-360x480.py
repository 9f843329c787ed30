# SCTNet-S on CamVid at half its size, from a backbone that has seen rendered
# streets: `sctnet-s-street`, which comes with the package.
#   mim train rtseg_plugin sctnet-s-street_1xb6-2k_camvid-360x480.py
_base_ = './sctnet-s-plain_1xb6-2k_camvid-360x480.py'
# what check_dataset writes for data of one's own, too
loss_decode = dict(class_weight=_base_.camvid_class_weight)
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='rtseg_plugin://sctnet-s-street')),
    decode_head=dict(loss_decode=loss_decode),
    auxiliary_head=dict(loss_decode=loss_decode))
