# GAIN-R18 from scratch on CamVid at half its size, three images a step: with
# six, two cores take more than 90 minutes.
#   mim train rtseg_plugin gain-r18_1xb3-2k_camvid-360x480.py
_base_ = [
    '../_base_/models/gain-r18.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_2k.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
auxiliary_head = _base_.model.auxiliary_head
for head in auxiliary_head:
    head.update(norm_cfg=norm_cfg, num_classes=11)
    head.loss_decode = _base_.hard_pixels  # update() would merge the base's
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(norm_cfg=norm_cfg),
    neck=dict(norm_cfg=norm_cfg),
    decode_head=dict(
        norm_cfg=norm_cfg,
        num_classes=11,
        loss_decode=dict(_delete_=True, **_base_.hard_pixels)),
    auxiliary_head=auxiliary_head)
train_dataloader = dict(batch_size=3)
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
