# RTFormer-Slim on the synthetic streets, from scratch, minutes on two cores.
#   mim train rtseg_plugin rtformer-slim_1xb4-demo_synthetic-street-256x512.py
_base_ = [
    '../_base_/models/rtformer-slim.py',
    '../_base_/datasets/synthetic-street_256x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
norm_cfg = dict(type='BN', momentum=0.1, requires_grad=True)
model = dict(
    data_preprocessor=dict(size=(256, 512)),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=dict(norm_cfg=norm_cfg))
