# sgd-poly_80k.py in 10000 iterations.
_base_ = './sgd-poly_80k.py'
train_cfg = dict(max_iters=10000, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
