# FANet-18 from scratch on the synthetic streets.
#   mim train rtseg_plugin fanet-18_1xb4-demo_synthetic-street-256x512.py
_base_ = [
    '../_base_/models/fanet-18.py',
    '../_base_/datasets/synthetic-street_256x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
auxiliary_head = _base_.model.auxiliary_head
for head in auxiliary_head:
    head.norm_cfg = norm_cfg
model = dict(
    data_preprocessor=dict(size=(256, 512)),
    backbone=dict(norm_cfg=norm_cfg, init_cfg=None),
    neck=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=auxiliary_head)
# from scratch the heads need no larger step than the rest
optim_wrapper = dict(paramwise_cfg=None)
