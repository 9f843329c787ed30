# The schedule of RTFormer's official Cityscapes configs: a linear warm-up from
# 1e-6 over 1500 iterations, then a decay of power 1 to 1e-6 that starts from
# the full rate. Context module and heads learn ten times faster throughout,
# so they start and end at 1e-5. Weight decay spares nothing.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW', lr=4e-4, betas=(0.9, 0.999), weight_decay=0.0125),
    paramwise_cfg=dict(
        custom_keys={
            'backbone.spp': dict(lr_mult=10.),
            'decode_head': dict(lr_mult=10.),
            'auxiliary_head': dict(lr_mult=10.)
        }))
# a scheduler of the host reaches its last value at end - 1, hence the + 1
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6 / 4e-4,
        begin=0,
        end=1500 + 1,
        by_epoch=False),
    dict(
        type='PolyRatioLR',
        eta_min_ratio=1e-6 / 4e-4,
        power=1.0,
        begin=1500,
        end=120000 + 1,
        by_epoch=False)
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=120000, val_interval=4000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='CheckpointHook',
        by_epoch=False,
        interval=4000,
        max_keep_ckpts=3,
        save_best='mIoU'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'))
