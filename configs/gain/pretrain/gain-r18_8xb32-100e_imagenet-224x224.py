# GAIN's ResNet-18 (deep, wide stem) on ImageNet-1K. Runs in MMPretrain (extra
# 'pretrain'):
#   mim train mmpretrain \
#       configs/gain/pretrain/gain-r18_8xb32-100e_imagenet-224x224.py
# The result is what init_cfg=dict(type='Pretrained', checkpoint=...,
# prefix='backbone.') of the recipes loads. How the files that the official
# code starts from were trained is not told: this is what is usual for a
# ResNet-18.
_base_ = '../../_base_/datasets/imagenet_224x224.py'
custom_imports = dict(imports=['rtseg_plugin'], allow_failed_imports=False)
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mmseg.GAINResNet',
        depth=18,
        dilations=(1, 1, 1, 1),
        out_indices=(3, ),
        norm_cfg=dict(type='BN', requires_grad=True)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=1000,
        in_channels=512,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
        topk=(1, 5)))
train_steps = _base_.train_steps
train_steps.pop('rand_augment')
train_steps.pop('erase')
train_pipeline = list(train_steps.values())
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=32)
test_dataloader = val_dataloader
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(
    type='MultiStepLR', by_epoch=True, milestones=[30, 60, 90], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=100),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=3))
auto_scale_lr = dict(base_batch_size=256)
