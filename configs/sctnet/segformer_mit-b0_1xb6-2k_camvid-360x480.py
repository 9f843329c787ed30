# SegFormer-B0 from scratch on CamVid: the teacher of SCTNet-S there.
#   mim train rtseg_plugin segformer_mit-b0_1xb6-2k_camvid-360x480.py
_base_ = [
    '../_base_/models/segformer-b0.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(num_classes=11))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
optim_wrapper = dict(optimizer=dict(lr=6e-4))
train_cfg = dict(max_iters=2000, val_interval=250)
default_hooks = dict(checkpoint=dict(interval=250))
