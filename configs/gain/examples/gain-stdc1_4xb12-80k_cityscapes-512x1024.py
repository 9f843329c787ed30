# Any network, its heads replaced: stock STDC1 with guided attentive
# interpolation for its context path. No published result.
#   mim train rtseg_plugin gain-stdc1_4xb12-80k_cityscapes-512x1024.py
_base_ = [
    'mmseg::stdc/stdc1_4xb12-80k_cityscapes-512x1024.py',
    '../../_base_/plugin.py'
]
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    backbone=dict(
        _delete_=True,
        type='STDCNet',
        stdc_type='STDCNet1',
        in_channels=3,
        channels=(32, 64, 256, 512, 1024),
        bottleneck_type='cat',
        num_convs=4,
        norm_cfg=norm_cfg,
        act_cfg=dict(type='ReLU'),
        with_final_conv=False),
    neck=dict(type='GAINeck', in_channels=[256, 512, 1024], norm_cfg=norm_cfg),
    decode_head=dict(
        _delete_=True,
        type='GAINLightHead',
        in_channels=[128, 128, 128],
        channels=128,
        num_classes=19,
        norm_cfg=norm_cfg),
    auxiliary_head=[
        dict(
            type='GAINAuxiliaryHead',
            in_channels=128,
            channels=128,
            in_index=index,
            num_classes=19,
            norm_cfg=norm_cfg) for index in (1, 2)
    ])
