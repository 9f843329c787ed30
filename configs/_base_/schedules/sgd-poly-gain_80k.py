# The schedule of GAIN's official code: SGD, 1e-2 * (1 - it / max)^0.9, no
# warm-up, weight decay 1e-4 on everything.
_base_ = './sgd-poly_80k.py'
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4))
