# GAIN with ResNet-18: 80.6 mIoU on CamVid test, 64.5 fps on a 1080 Ti
# (abstract, which does not name the encoder). Trained on train and val; no
# context, no 3x3 fusion, no dilation.
#   mim train rtseg_plugin gain-r18_2xb8-5k_camvid-720x960.py \
#       --launcher pytorch --gpus 2
# The official code can start from its Cityscapes checkpoint: load_from.
_base_ = [
    '../_base_/models/gain-r18.py',
    '../_base_/datasets/gain_camvid_720x960.py',
    '../_base_/default_runtime.py', '../_base_/schedules/gain-sgd-poly_5k.py'
]
# 100 000 pixels per image
loss_decode = dict(min_kept_ratio=100000 / (720 * 960))
auxiliary_head = _base_.model.auxiliary_head
for head in auxiliary_head:
    head.num_classes = 11
    head.loss_decode.update(loss_decode)
model = dict(
    data_preprocessor=dict(size=(720, 960)),
    backbone=dict(dilations=(1, 1, 1, 1)),
    neck=dict(context=None),
    decode_head=dict(num_classes=11, fuse_3x3=False, loss_decode=loss_decode),
    auxiliary_head=auxiliary_head)
