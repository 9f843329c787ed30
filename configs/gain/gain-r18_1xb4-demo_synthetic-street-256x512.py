# GAIN-R18 from scratch on the synthetic streets, minutes on two cores: its
# wide stem makes an iteration long, so there are fewer than in other demos.
#   mim train rtseg_plugin gain-r18_1xb4-demo_synthetic-street-256x512.py
_base_ = [
    '../_base_/models/gain-r18.py',
    '../_base_/datasets/synthetic-street_256x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
auxiliary_head = _base_.model.auxiliary_head
for head in auxiliary_head:
    head.norm_cfg = norm_cfg
model = dict(
    data_preprocessor=dict(size=(256, 512)),
    backbone=dict(norm_cfg=norm_cfg),
    neck=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=auxiliary_head)
train_cfg = dict(max_iters=160, val_interval=80)
default_hooks = dict(checkpoint=dict(interval=80))
