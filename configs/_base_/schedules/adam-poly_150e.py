# The usual schedule of ERFNet: Adam, 5e-4 * (1 - epoch / 150)^0.9.
_base_ = './adam-plateau_50e.py'
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type='PolyLR', eta_min=0, power=0.9, begin=0, by_epoch=True)
]
train_cfg = dict(max_epochs=150)
