# The schedule of adamw-poly_160k.py shrunk to minutes on two cores.
_base_ = './adamw-poly_160k.py'
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.01))
warm_up = dict(_base_.warm_up, end=30)
param_scheduler = [warm_up, _base_.decay]
train_cfg = dict(max_iters=400, val_interval=100)
default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=100, max_keep_ckpts=1))
