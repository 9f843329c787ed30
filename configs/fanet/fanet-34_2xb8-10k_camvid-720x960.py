# FANet-34 of Table V: 70.1 mIoU on CamVid test. Trained on the 367 images of
# train, as the article says.
#   mim train rtseg_plugin fanet-34_2xb8-10k_camvid-720x960.py \
#       --launcher pytorch --gpus 2
# The article leaves crop, iterations and loss open; see the README.
_base_ = [
    '../_base_/models/fanet-34.py',
    '../_base_/datasets/camvid-fanet_720x960.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly_10k.py'
]
model = dict(
    data_preprocessor=dict(size=(720, 960)),
    decode_head=dict(num_classes=11),
    auxiliary_head=[
        dict(head, num_classes=11)
        for head in _base_.model.auxiliary_head
    ])
