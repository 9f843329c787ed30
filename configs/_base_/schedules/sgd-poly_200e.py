# SGD, 1e-2 * (1 - epoch / 200)^0.9, as PSPNet is usually trained.
_base_ = './adam-plateau_50e.py'
optim_wrapper = dict(
    optimizer=dict(
        _delete_=True, type='SGD', lr=1e-2, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type='PolyLR', eta_min=0, power=0.9, begin=0, by_epoch=True)
]
train_cfg = dict(max_epochs=200)
