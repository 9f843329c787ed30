# ERFNet from scratch on CamVid at half its size, four images a step: with
# six, two cores take more than 90 minutes.
#   mim train rtseg_plugin erfnet_1xb4-2k_camvid-360x480.py
_base_ = [
    '../_base_/models/erfnet.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_2k.py'
]
norm_cfg = dict(type='BN', eps=1e-3, requires_grad=True)
# pixels without a class stay 255: the 20th map and the weights of the classes
# belong to Cityscapes. Its head is as wide as the labels, all of them count.
train_steps = dict(
    _delete_=True,
    **{k: v for k, v in _base_.train_steps.items() if k != 'thin'})
train_pipeline = [v for k, v in train_steps.items() if k != '_delete_']
model = dict(
    data_preprocessor=dict(size=_base_.crop_size, seg_pad_val=255),
    backbone=dict(norm_cfg=norm_cfg, dropout_ratios=(0., 0.)),
    decode_head=dict(
        norm_cfg=norm_cfg,
        num_classes=11,
        ignore_index=255,
        loss_decode=dict(_delete_=True, **_base_.hard_pixels)))
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
