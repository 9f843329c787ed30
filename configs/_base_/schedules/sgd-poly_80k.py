# The schedule of FANet's article: SGD, 1e-2 * (1 - it / max)^0.9, no warm-up;
# weight decay on everything. It leaves the number of iterations open.
_base_ = './iterations.py'
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-2, momentum=0.9, weight_decay=5e-4))
param_scheduler = [
    dict(type='PolyLR', eta_min=0, power=0.9, begin=0, by_epoch=False)
]
train_cfg = dict(max_iters=80000, val_interval=2000)
default_hooks = dict(checkpoint=dict(interval=2000))
