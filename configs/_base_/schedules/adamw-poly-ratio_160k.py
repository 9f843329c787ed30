# The schedule of RTFormer's official ADE20K configs.
_base_ = './adamw-poly-ratio_120k.py'
lr = 1e-4
optim_wrapper = dict(optimizer=dict(lr=lr, weight_decay=0.05))
warm_up = dict(_base_.warm_up, start_factor=1e-6 / lr)
decay = dict(_base_.decay, eta_min_ratio=1e-7 / lr)
param_scheduler = [warm_up, decay]
train_cfg = dict(max_iters=160000, val_interval=8000)
default_hooks = dict(checkpoint=dict(interval=8000))
