# SCTNet-S on ImageNet-1K with the settings of appendix A of
# https://arxiv.org/abs/2312.17071. Runs in MMPretrain (extra 'pretrain'):
#   mim train mmpretrain \
#       configs/sctnet/pretrain/sctnet-s_8xb128-300e_imagenet-224x224.py
# The result is what init_cfg=dict(type='Pretrained', checkpoint=...,
# prefix='backbone.') of the recipes loads. Official classifier and code are
# not published: this is a linear one on the pooled output of the decode
# head's feature, and what the paper leaves open (label smoothing, crops) is as
# for Swin, which it says it follows.
_base_ = '../../_base_/datasets/imagenet_224x224.py'
custom_imports = dict(imports=['rtseg_plugin'], allow_failed_imports=False)
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mmseg.SCTNet',
        arch='small',
        out_indices=(0, ),
        norm_cfg=dict(type='SyncBN', requires_grad=True)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=1000,
        in_channels=128,
        loss=dict(
            type='LabelSmoothLoss', label_smooth_val=0.1, mode='original'),
        topk=(1, 5)),
    train_cfg=dict(augments=[
        dict(type='Mixup', alpha=0.8),
        dict(type='CutMix', alpha=1.0)
    ]))
optim_wrapper = dict(
    optimizer=dict(
        type='AdamW', lr=1e-3, betas=(0.9, 0.999), weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0., bias_decay_mult=0.),
    clip_grad=dict(max_norm=5.))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6 / 1e-3,
        end=20,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        begin=20,
        by_epoch=True,
        convert_to_iter_based=True)
]
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=1)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(
    logger=dict(type='LoggerHook', interval=100),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=3))
auto_scale_lr = dict(base_batch_size=1024)
