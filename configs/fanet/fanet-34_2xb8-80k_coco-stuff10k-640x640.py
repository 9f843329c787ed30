# FANet-34 of Table V: 29.5 on COCO-Stuff at 640x640, but of 182 classes.
# This has the 171 that are annotated, as the official loader does:
# 182 counts eleven numbers of things that COCO never used.
#   mim train rtseg_plugin fanet-34_2xb8-80k_coco-stuff10k-640x640.py \
#       --launcher pytorch --gpus 2
# The article leaves crop, iterations and loss open; see the README.
_base_ = [
    '../_base_/models/fanet-34.py',
    '../_base_/datasets/coco-stuff10k-fanet_640x640.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly_80k.py'
]
model = dict(
    data_preprocessor=dict(size=(640, 640)),
    decode_head=dict(num_classes=171),
    auxiliary_head=[
        dict(head, num_classes=171)
        for head in _base_.model.auxiliary_head
    ])
