# RTFormer-Slim on ImageNet-1K, Tables 6 and 7 of
# https://arxiv.org/abs/2210.07124: 72.3 % top-1. Runs in MMPretrain (extra
# 'pretrain'), which is another program:
#   mim train mmpretrain \
#       configs/rtformer/pretrain/rtformer-slim_8xb128-300e_imagenet-224x224.py
# The result is what init_cfg=dict(type='Pretrained', checkpoint=...,
# prefix='backbone.') of the recipes loads. The official classifier is not
# published; this is a linear one on the pooled output. Not in Table 6 but in
# the recipe of Swin, which the paper says it mainly follows: label smoothing
# and the choices within RandAugment.
_base_ = '../../_base_/datasets/imagenet_224x224.py'
custom_imports = dict(imports=['rtseg_plugin'], allow_failed_imports=False)
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mmseg.RTFormer',
        arch='slim',
        drop_path_rate=0.,
        out_indices=(0, ),
        norm_cfg=dict(type='SyncBN', momentum=0.9, requires_grad=True)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=1000,
        in_channels=128,
        loss=dict(
            type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'),
        topk=(1, 5)),
    train_cfg=dict(augments=[
        dict(type='Mixup', alpha=0.2),
        dict(type='CutMix', alpha=1.0)
    ]))
train_steps = _base_.train_steps
erase, pack = train_steps.pop('erase'), train_steps.pop('pack')
train_steps.update(
    jitter=dict(
        type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4),
    erase=erase,
    pack=pack)
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    optimizer=dict(
        type='AdamW', lr=5e-4, betas=(0.9, 0.999), weight_decay=0.04),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.),
    clip_grad=dict(max_norm=5.))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=5e-7 / 5e-4,
        end=5,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=5e-6,
        begin=5,
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=1)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(
    checkpoint=dict(type='CheckpointHook', interval=5, max_keep_ckpts=3))
auto_scale_lr = dict(base_batch_size=1024)
