# For the few images of CamVid, from random weights, on two cores.
_base_ = './adamw-poly-bf16_demo.py'
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
train_cfg = dict(max_iters=2000, val_interval=250)
default_hooks = dict(checkpoint=dict(interval=250))
