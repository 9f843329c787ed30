# RTFormer's 110 epochs of 750 iterations on COCO-Stuff-10K, as in the paper.
# "All else as on Cityscapes" is read as the power 0.9 that the paper states
# there and the code does not use.
_base_ = './adamw-poly-ratio_120k.py'
lr = 1e-4
optim_wrapper = dict(optimizer=dict(lr=lr, weight_decay=0.05))
warm_up = dict(_base_.warm_up, start_factor=1e-6 / lr)
decay = dict(_base_.decay, eta_min_ratio=1e-6 / lr, power=0.9)
param_scheduler = [warm_up, decay]
train_cfg = dict(max_iters=110 * 750, val_interval=5 * 750)
default_hooks = dict(checkpoint=dict(interval=5 * 750))
