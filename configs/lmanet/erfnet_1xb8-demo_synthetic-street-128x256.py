# ERFNet alone on the synthetic streets, the start of the LMANet demo.
#   mim train rtseg_plugin erfnet_1xb8-demo_synthetic-street-128x256.py
_base_ = [
    '../_base_/models/erfnet.py',
    '../_base_/datasets/synthetic-street_128x256.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
norm_cfg = dict(type='BN', eps=1e-3, requires_grad=True)
train_steps = _base_.train_steps
pack = train_steps.pop('pack')
train_steps.update(
    relabel=dict(type='RelabelPixels', old=255, new=19), pack=pack)
train_pipeline = list(train_steps.values())
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
model = dict(
    data_preprocessor=dict(size=(128, 256)),
    # minutes of training are too short for the dropout of 150 epochs
    backbone=dict(norm_cfg=norm_cfg, dropout_ratios=(0., 0.)),
    decode_head=dict(norm_cfg=norm_cfg))
train_cfg = dict(max_iters=1000, val_interval=250)
default_hooks = dict(checkpoint=dict(interval=250))
