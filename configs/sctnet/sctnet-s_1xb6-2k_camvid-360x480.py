# SCTNet-S on CamVid with a teacher that saw nothing else either. A teacher
# worse than its student harms: compare the two before.
#   mim train rtseg_plugin sctnet-s_1xb6-2k_camvid-360x480.py
_base_ = [
    '../_base_/models/sctnet-s.py',
    '../_base_/datasets/camvid_360x480.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
alignments = _base_.model.alignments
for alignment, channels in zip(alignments, (512, 256, 160)):
    alignment.out_channels = channels
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg, num_classes=11),
    auxiliary_head=dict(norm_cfg=norm_cfg, num_classes=11),
    teacher=dict(
        config=dict(
            backbone=dict(embed_dims=32, num_layers=[2, 2, 2, 2]),
            decode_head=dict(
                in_channels=[32, 64, 160, 256],
                channels=128,
                num_classes=11,
                norm_cfg=norm_cfg)),
        checkpoint='work_dirs/segformer_mit-b0_1xb6-2k_camvid-360x480/'
        'iter_2000.pth'),
    alignments=alignments)
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
train_cfg = dict(max_iters=2000, val_interval=250)
default_hooks = dict(checkpoint=dict(interval=250))
