# RTFormer-Slim from scratch on CamVid at half its size.
#   mim train rtseg_plugin rtformer-slim_1xb6-2k_camvid-360x480.py
_base_ = [
    '../_base_/models/rtformer-slim.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
norm_cfg = dict(type='BN', momentum=0.1, requires_grad=True)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg, num_classes=11),
    auxiliary_head=dict(norm_cfg=norm_cfg, num_classes=11))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
train_cfg = dict(max_iters=2000, val_interval=250)
default_hooks = dict(checkpoint=dict(interval=250))
