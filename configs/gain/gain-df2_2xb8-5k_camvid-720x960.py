# GAIN with DFNet-2 on CamVid, trained on train and val. What is public of
# the paper gives no figure for it. The official code has it without a context
# and, as here, with the global one.
#   mim train rtseg_plugin gain-df2_2xb8-5k_camvid-720x960.py \
#       --launcher pytorch --gpus 2
# Needs checkpoints/gain-df2_imagenet.pth (encoder), see README.md here.
_base_ = [
    '../_base_/models/gain-df2.py',
    '../_base_/datasets/camvid-trainval-gain_720x960.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly-gain_5k.py'
]
# 100 000 pixels per image
loss_decode = dict(_base_.loss_decode, min_kept_ratio=100000 / (720 * 960))
model = dict(
    data_preprocessor=dict(size=(720, 960)),
    backbone=dict(init_cfg=_base_.imagenet),
    decode_head=dict(num_classes=11, loss_decode=loss_decode),
    auxiliary_head=[
        dict(head, num_classes=11, loss_decode=loss_decode)
        for head in _base_.model.auxiliary_head
    ])
