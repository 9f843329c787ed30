# SegFormer-B0 from scratch on CamVid: the teacher of SCTNet-S there.
#   mim train rtseg_plugin segformer_mit-b0_1xb6-2k_camvid-360x480.py
_base_ = [
    '../_base_/models/segformer-b0.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_2k.py'
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(
        num_classes=11,
        loss_decode=dict(_delete_=True, **_base_.hard_pixels)))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
optim_wrapper = dict(optimizer=dict(lr=6e-4))
