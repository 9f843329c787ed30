# GAIN with ResNet-18, Cityscapes classes.
norm_cfg = dict(type='SyncBN', requires_grad=True)
# The official 100 000 pixels per image of 1024x1024, as a share: the same
# for these crops, and no error for smaller ones.
loss_decode = dict(
    type='HardExampleCrossEntropyLoss',
    threshold=0.7,
    min_kept_ratio=100000 / (1024 * 1024))
imagenet = dict(
    type='Pretrained',
    prefix='backbone.',
    checkpoint='checkpoints/gain-r18_imagenet.pth')
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(1024, 1024))
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(type='GAINResNet', depth=18, norm_cfg=norm_cfg),
    neck=dict(
        type='GAINeck',
        in_channels=[64, 128, 256, 512],
        channels=128,
        guide_index=1,
        interpolation=dict(type='GuidedAttentiveInterpolation'),
        context=dict(type='GlobalAverageContext'),
        norm_cfg=norm_cfg),
    decode_head=dict(
        type='GAINHead',
        in_channels=[128, 128, 128, 128],
        channels=128,
        num_classes=19,
        norm_cfg=norm_cfg,
        loss_decode=loss_decode),
    auxiliary_head=[
        dict(
            type='GAINAuxiliaryHead',
            in_channels=128,
            channels=128,
            in_index=index,
            num_classes=19,
            norm_cfg=norm_cfg,
            loss_decode=loss_decode) for index in (-2, -1)
    ],
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
