# ERFNet from scratch on CamVid at half its size. It learns slowly: twice the
# steps on crops of half the size, and the whole weights of the classes. With
# their square roots poles, signs and cyclists were at 0 after 2000 steps.
#   mim train rtseg_plugin erfnet_1xb4-4k_camvid-360x480.py
_base_ = [
    '../_base_/models/erfnet.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_2k.py'
]
norm_cfg = dict(type='BN', eps=1e-3, requires_grad=True)
crop_size = (224, 320)
# pixels without a class stay 255: the 20th map and the weights of the classes
# belong to Cityscapes. Its head is as wide as the labels, all of them count.
train_steps = dict(
    _delete_=True,
    **{k: v for k, v in _base_.train_steps.items() if k != 'thin'})
train_steps['resize'].update(ratio_range=(0.6, 1.5))
train_steps['crop'].update(crop_size=crop_size)
train_steps['pad'].update(size=crop_size[::-1])
train_pipeline = [v for k, v in train_steps.items() if k != '_delete_']
model = dict(
    data_preprocessor=dict(size=crop_size, seg_pad_val=255),
    backbone=dict(norm_cfg=norm_cfg, dropout_ratios=(0., 0.)),
    decode_head=dict(
        norm_cfg=norm_cfg,
        num_classes=11,
        ignore_index=255,
        loss_decode=dict(
            _base_.hard_pixels,
            _delete_=True,
            class_weight=_base_.camvid_class_weight)))
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
train_cfg = dict(max_iters=4000, val_interval=500)
default_hooks = dict(checkpoint=dict(interval=500))
