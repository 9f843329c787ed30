# FANet-18 from scratch on the synthetic streets, minutes on two cores. Whole
# scenes: its attention is a sum over positions (`divide_by_positions`), so
# crops that are smaller than what is tested do not do.
#   mim train rtseg_plugin fanet-18_1xb4-demo_synthetic-street-256x512.py
_base_ = [
    '../_base_/models/fanet-18.py',
    '../_base_/datasets/synthetic-street-cpu_256x512.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
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
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
