# FANet-18, Cityscapes classes, with the auxiliary heads and the loss of the
# official training code; inference carries nothing of the auxiliary heads.
norm_cfg = dict(type='SyncBN', requires_grad=True)
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
    backbone=dict(
        type='FANetResNet',
        depth=18,
        norm_cfg=norm_cfg,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.pytorch.org/models/'
            'resnet18-f37072fd.pth')),
    neck=dict(
        type='FastAttentionNeck',
        attention=dict(type='FastAttention'),
        norm_cfg=norm_cfg),
    decode_head=dict(
        type='FANetHead',
        num_classes=19,
        norm_cfg=norm_cfg,
        loss_decode=dict(type='HardExampleCrossEntropyLoss')),
    auxiliary_head=[
        dict(
            type='FANetAuxiliaryHead',
            in_index=1,
            num_classes=19,
            norm_cfg=norm_cfg,
            loss_decode=dict(
                type='HardExampleCrossEntropyLoss', loss_weight=0.5)),
        dict(
            type='FANetAuxiliaryHead',
            in_channels=512,
            in_index=2,
            smooth_channels=128,
            num_classes=19,
            norm_cfg=norm_cfg,
            loss_decode=dict(
                type='HardExampleCrossEntropyLoss', loss_weight=0.5)),
    ],
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
