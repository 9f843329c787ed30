# sgd-poly_80k.py in 10000 iterations.
_base_ = './sgd-poly_80k.py'
param_scheduler = [
    dict(
        type='PolyLR',
        eta_min=0,
        power=0.9,
        begin=0,
        end=10000,
        by_epoch=False)
]
train_cfg = dict(max_iters=10000, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
