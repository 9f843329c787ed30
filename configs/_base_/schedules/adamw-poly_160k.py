# The schedule of SCTNet's official configs. LinearLR stands before PolyLR: so
# the product is the official warm-up within 0.1 %. The decay ends with the
# training, at train_cfg.max_iters.
_base_ = './iterations.py'
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='AdamW', lr=4e-4, betas=(0.9, 0.999), weight_decay=0.0125),
    paramwise_cfg=dict(
        custom_keys={
            'head': dict(lr_mult=10.),
            'alignments': dict(lr_mult=10.)
        }))
warm_up = dict(
    type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=1500)
decay = dict(type='PolyLR', eta_min=1e-6, power=1.0, begin=0, by_epoch=False)
param_scheduler = [warm_up, decay]
train_cfg = dict(max_iters=160000, val_interval=2000)
default_hooks = dict(checkpoint=dict(interval=2000))
