# sgd-poly-gain_80k.py in 160000 iterations.
_base_ = './sgd-poly-gain_80k.py'
train_cfg = dict(max_iters=160000, val_interval=8000)
default_hooks = dict(checkpoint=dict(interval=8000))
