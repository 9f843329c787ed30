# RTFormer's 968 epochs of 39 iterations on CamVid, as in the paper, which
# refers to Cityscapes for all that it does not say.
_base_ = './adamw-poly-ratio_120k.py'
lr = 1e-3
optim_wrapper = dict(optimizer=dict(lr=lr, weight_decay=0.05))
warm_up = dict(_base_.warm_up, start_factor=1e-6 / lr)
decay = dict(_base_.decay, eta_min_ratio=1e-6 / lr)
param_scheduler = [warm_up, decay]
train_cfg = dict(max_iters=968 * 39, val_interval=50 * 39)
default_hooks = dict(checkpoint=dict(interval=50 * 39))
