# SCTNet-S on CamVid with a teacher that saw nothing else either. A teacher
# worse than its student harms: compare the two before.
#   mim train rtseg_plugin sctnet-s_1xb6-2k_camvid-360x480.py
_base_ = [
    '../_base_/models/sctnet-s_b0-teacher.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_2k.py'
]
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(
        num_classes=11, loss_decode=dict(_delete_=True, **_base_.hard_pixels)),
    auxiliary_head=dict(
        num_classes=11,
        loss_decode=dict(
            _delete_=True, loss_weight=0.4, **_base_.hard_pixels)),
    teacher=dict(
        config=dict(decode_head=dict(num_classes=11)),
        checkpoint='work_dirs/segformer_mit-b0_1xb6-2k_camvid-360x480/'
        'iter_2000.pth'))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
