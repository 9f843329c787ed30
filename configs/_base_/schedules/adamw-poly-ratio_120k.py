# The schedule of RTFormer's official Cityscapes configs: a linear warm-up from
# 1e-6 over 1500 iterations, then a decay of power 1 to 1e-6 that starts from
# the full rate and ends with the training, at train_cfg.max_iters. Context
# module and heads learn ten times faster throughout, so they start and end at
# 1e-5. Weight decay spares nothing.
_base_ = './iterations.py'
lr = 4e-4
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW', lr=lr, betas=(0.9, 0.999), weight_decay=0.0125),
    paramwise_cfg=dict(
        custom_keys={
            'backbone.spp': dict(lr_mult=10.),
            'decode_head': dict(lr_mult=10.),
            'auxiliary_head': dict(lr_mult=10.)
        }))
# the host's LinearLR reaches the full rate at end - 1, hence the + 1
warm_up = dict(
    type='LinearLR',
    start_factor=1e-6 / lr,
    begin=0,
    end=1500 + 1,
    by_epoch=False)
decay = dict(
    type='PolyRatioLR',
    eta_min_ratio=1e-6 / lr,
    power=1.0,
    begin=1500,
    by_epoch=False)
param_scheduler = [warm_up, decay]
train_cfg = dict(max_iters=120000, val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
