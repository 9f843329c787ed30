# SCTNet-S with its teacher (SegFormer-B2), Cityscapes classes. The teacher is
# built when training starts and is not part of any checkpoint.
norm_cfg = dict(type='SyncBN', requires_grad=True)
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
    size=(512, 1024))
model = dict(
    type='DistilledEncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(type='SCTNet', arch='small', norm_cfg=norm_cfg),
    decode_head=dict(
        type='SCTHead',
        in_channels=128,
        in_index=0,
        channels=128,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)),
    auxiliary_head=dict(
        type='SCTHead',
        in_channels=64,
        in_index=1,
        channels=64,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4)),
    teacher=dict(
        config=dict(
            type='EncoderDecoder',
            backbone=dict(
                type='MixVisionTransformer',
                embed_dims=64,
                num_stages=4,
                num_layers=[3, 4, 6, 3],
                num_heads=[1, 2, 5, 8],
                patch_sizes=[7, 3, 3, 3],
                sr_ratios=[8, 4, 2, 1],
                out_indices=(0, 1, 2, 3),
                mlp_ratio=4,
                qkv_bias=True),
            decode_head=dict(
                type='SegformerHead',
                in_channels=[64, 128, 320, 512],
                in_index=[0, 1, 2, 3],
                channels=256,
                dropout_ratio=0.1,
                num_classes=19,
                norm_cfg=norm_cfg,
                align_corners=False,
                loss_decode=dict(
                    type='CrossEntropyLoss',
                    use_sigmoid=False,
                    loss_weight=1.0))),
        # a SegFormer-B2 checkpoint of MMSegmentation's zoo, or what
        # sctnet2mmseg.py --keep teacher makes of an official SCTNet file
        checkpoint='checkpoints/teacher_segformer_mit-b2_cityscapes.pth'),
    alignments=[
        dict(
            type='SharedDecoderAlignment',
            student='backbone:0',
            in_channels=128,
            out_channels=1024,
            decoder=[
                dict(
                    module='decode_head.fusion_conv',
                    name='decoder',
                    loss=dict(
                        type='ChannelWiseDistillationLoss',
                        temperature=4.0,
                        loss_weight=15.0)),
                dict(
                    module='decode_head.conv_seg',
                    name='logits',
                    loss=dict(
                        type='ChannelWiseDistillationLoss',
                        temperature=4.0,
                        loss_weight=3.0)),
            ]),
        dict(
            type='FeatureAlignment',
            name='stage4',
            student='backbone:3',
            teacher='backbone:3',
            in_channels=256,
            out_channels=512,
            loss=dict(
                type='ChannelWiseDistillationLoss',
                temperature=4.0,
                loss_weight=15.0)),
        dict(
            type='FeatureAlignment',
            name='stage3',
            student='backbone:2',
            teacher='backbone:2',
            in_channels=128,
            out_channels=320,
            loss=dict(
                type='ChannelWiseDistillationLoss',
                temperature=4.0,
                loss_weight=15.0)),
    ],
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
