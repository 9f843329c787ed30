# sgd-poly_80k.py in 20000 iterations.
_base_ = './sgd-poly_80k.py'
train_cfg = dict(max_iters=20000)
