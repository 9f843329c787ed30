# The schedule of SCTNet's official ADE20K configs. The rule 'norm' means what
# it means there: it exempts the norms of the Conv-Former blocks from weight
# decay, and nothing else.
_base_ = './adamw-poly_160k.py'
optim_wrapper = dict(
    optimizer=dict(lr=5e-4, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys={'norm': dict(decay_mult=0.)}))
decay = dict(_base_.decay, eta_min=0.)
param_scheduler = [_base_.warm_up, decay]
train_cfg = dict(val_interval=8000)
default_hooks = dict(checkpoint=dict(interval=4000))
