# Second stage: the decoder too.
_base_ = './erfnet-blend-s4-r21_stage1_1xb4-demo_synthetic-street-128x256.py'
custom_hooks = [
    *_base_.plugin_hooks,
    dict(_base_.frozen, prefixes=['backbone'])
]
optim_wrapper = dict(optimizer=dict(lr=3e-4))
load_from = ('work_dirs/erfnet-blend-s4-r21_stage1_1xb4-demo_synthetic-'
             'street-128x256/iter_300.pth')
