# RTFormer-Slim from scratch on small crops of the synthetic streets: Table 5a
# in miniature (make claims) compares its attentions by this.
#   mim train rtseg_plugin \
#       rtformer-slim_1xb12-demo_synthetic-street-128x256.py
_base_ = [
    '../_base_/models/rtformer-slim.py',
    '../_base_/datasets/synthetic-street-cpu_128x256.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
norm_cfg = dict(type='BN', momentum=0.1, requires_grad=True)
model = dict(
    data_preprocessor=dict(size=(128, 256)),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=dict(norm_cfg=norm_cfg))
train_dataloader = dict(batch_size=12)
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
