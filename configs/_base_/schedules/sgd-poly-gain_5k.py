# sgd-poly-gain_80k.py in 5000 iterations.
_base_ = './sgd-poly-gain_80k.py'
train_cfg = dict(max_iters=5000, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
