# GAIN-R18 from scratch on small crops of the synthetic streets: its
# interpolation in miniature (make claims) is compared by this.
#   mim train rtseg_plugin gain-r18_1xb12-demo_synthetic-street-128x256.py
_base_ = [
    '../_base_/models/gain-r18.py',
    '../_base_/datasets/synthetic-street-cpu_128x256.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
auxiliary_head = _base_.model.auxiliary_head
for head in auxiliary_head:
    head.norm_cfg = norm_cfg
model = dict(
    data_preprocessor=dict(size=(128, 256)),
    backbone=dict(norm_cfg=norm_cfg),
    neck=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=auxiliary_head)
train_dataloader = dict(batch_size=12)
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
