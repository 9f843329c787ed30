# SCTNet-S in `make demo`, the end: whole scenes, and a rate that falls to
# nothing.
#   mim train rtseg_plugin sctnet-s-plain_1xb4-demo_synthetic-street-256x512.py
_base_ = './sctnet-s-plain_1xb8-1k_synthetic-street-256x512.py'
train_steps = _base_.train_steps
train_steps.thin.stride = 4
train_pipeline = list(train_steps.values())
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=450, val_interval=450)
default_hooks = dict(logger=dict(interval=10), checkpoint=dict(interval=150))
load_from = ('work_dirs/sctnet-s-plain_1xb8-demo_synthetic-street-128x256/'
             'iter_540.pth')
