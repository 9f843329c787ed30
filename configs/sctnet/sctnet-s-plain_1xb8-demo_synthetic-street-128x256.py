# SCTNet-S in `make demo`, behind its iterations with a teacher: small crops.
# Minutes hold few steps, so batches are small and steps cheap: labels of
# every fourth row and column.
#   mim train rtseg_plugin sctnet-s-plain_1xb8-demo_synthetic-street-128x256.py
_base_ = './sctnet-s-plain_1xb12-1k_synthetic-street-128x256.py'
train_steps = _base_.train_steps
train_steps.thin.stride = 4
train_pipeline = list(train_steps.values())
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_iters=540, val_interval=540)
default_hooks = dict(logger=dict(interval=10), checkpoint=dict(interval=180))
load_from = ('work_dirs/sctnet-s_1xb12-demo_synthetic-street-128x256/'
             'iter_60.pth')
