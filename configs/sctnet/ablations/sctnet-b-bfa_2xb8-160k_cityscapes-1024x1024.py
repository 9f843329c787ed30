# Table 6, +BFA: 79.7 mIoU; also Table 9a row CWD, 9b row 4, 9c row 3,15,15,15.
# All four locations are aligned directly, nothing passes the teacher's head.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
loss = dict(type='ChannelWiseDistillationLoss', temperature=4.0)
alignments = [
    dict(
        type='FeatureAlignment',
        name='logits',
        student='decode_head.conv_seg',
        teacher='decode_head.conv_seg',
        loss=dict(loss, loss_weight=3.0)),
    dict(
        type='FeatureAlignment',
        name='decoder',
        student='backbone:0',
        teacher='decode_head.fusion_conv',
        in_channels=256,
        out_channels=256,
        loss=dict(loss, loss_weight=15.0)),
    dict(
        type='FeatureAlignment',
        name='stage4',
        student='backbone:3',
        teacher='backbone:3',
        in_channels=512,
        out_channels=512,
        loss=dict(loss, loss_weight=15.0)),
    dict(
        type='FeatureAlignment',
        name='stage3',
        student='backbone:2',
        teacher='backbone:2',
        in_channels=256,
        out_channels=320,
        loss=dict(loss, loss_weight=15.0)),
]
model = dict(alignments=alignments)
