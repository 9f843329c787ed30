# PSPNet-101 alone, the single frame that LMANet is compared with (Table V):
# 76.34 at work size on Cityscapes val at 1025x2049, single scale. The authors
# start from a PSPNet of semseg's structure after 200 epochs, which
# lmanet2mmseg.py converts for this config; how it was trained, neither paper
# nor code tells. The training here is the usual one of PSPNet, from random
# weights, since no ImageNet file of this stem is at hand.
#   mim train rtseg_plugin pspnet-101_4xb4-200e_cityscapes-713x713.py \
#       --launcher pytorch --gpus 4
_base_ = [
    '../_base_/models/pspnet-101.py',
    '../_base_/datasets/cityscapes-lmanet_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly_200e.py'
]
log_processor = dict(by_epoch=True)
crop_size = (713, 713)
model = dict(
    data_preprocessor=dict(size=crop_size),
    decode_head=dict(loss_decode=dict(class_weight=None)))
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.resize = dict(
    type='RandomResize',
    scale=(2048, 1024),
    ratio_range=(0.5, 2.0),
    keep_ratio=True)
train_steps.shift = dict(type='RandomCrop', crop_size=crop_size)
train_pipeline = list(train_steps.values())
test_steps.resize.scale = (2049, 1025)
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
