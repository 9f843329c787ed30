# RTFormer-Slim as in the official Cityscapes config. Paddle's momentum 0.1 of
# a norm is 0.9 here.
norm_cfg = dict(type='SyncBN', momentum=0.9, requires_grad=True)
init_cfg = dict(
    type='Kaiming', layer='Conv2d', mode='fan_in', nonlinearity='relu')
imagenet = [
    init_cfg,
    dict(
        type='Pretrained',
        checkpoint='checkpoints/rtformer-slim_imagenet.pth',
        prefix='backbone.')
]
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(512, 1024))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='RTFormer',
        arch='slim',
        inject=(True, True),
        low_attention=dict(type='GPUFriendlyAttention', groups=8),
        high_attention=dict(type='CrossResolutionAttention', cross_size=12),
        ffn=dict(type='ConvFFN'),
        drop_path_rate=0.2,
        norm_cfg=norm_cfg,
        init_cfg=[init_cfg]),
    decode_head=dict(
        type='SCTHead',
        in_channels=128,
        in_index=0,
        channels=128,
        num_classes=19,
        conv_bias=False,
        norm_cfg=norm_cfg,
        init_cfg=init_cfg,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss',
            use_sigmoid=False,
            loss_weight=1.0,
            avg_non_ignore=True)),
    auxiliary_head=dict(
        type='SCTHead',
        in_channels=64,
        in_index=1,
        channels=64,
        num_classes=19,
        conv_bias=False,
        norm_cfg=norm_cfg,
        init_cfg=init_cfg,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss',
            use_sigmoid=False,
            loss_weight=0.4,
            avg_non_ignore=True)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
