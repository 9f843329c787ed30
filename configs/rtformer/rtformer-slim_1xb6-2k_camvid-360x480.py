# RTFormer-Slim from scratch on CamVid at half its size.
#   mim train rtseg_plugin rtformer-slim_1xb6-2k_camvid-360x480.py
_base_ = [
    '../_base_/models/rtformer-slim.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_2k.py'
]
norm_cfg = dict(type='BN', momentum=0.1, requires_grad=True)
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(
        norm_cfg=norm_cfg,
        num_classes=11,
        loss_decode=dict(_delete_=True, **_base_.hard_pixels)),
    auxiliary_head=dict(
        norm_cfg=norm_cfg,
        num_classes=11,
        loss_decode=dict(
            _delete_=True, loss_weight=0.4, **_base_.hard_pixels)))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
