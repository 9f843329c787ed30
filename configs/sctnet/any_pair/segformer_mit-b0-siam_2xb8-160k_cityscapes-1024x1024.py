# Table 5, SegFormer-B0 + SIAM: 77.3 mIoU (alone 74.7). Stock student, stock
# teacher (SegFormer-B3): both by name, and the list of what is aligned.
_base_ = 'mmseg::segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024.py'
custom_imports = dict(imports=['rtseg_plugin'], allow_failed_imports=False)
custom_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='RandomStateHook')
]
loss = dict(type='ChannelWiseDistillationLoss', temperature=4.0)
alignments = [
    dict(
        type='SharedDecoderAlignment',
        student='decode_head.fusion_conv',
        in_channels=256,
        out_channels=1024,
        decoder=[
            dict(
                module='decode_head.fusion_conv',
                name='decoder',
                loss=dict(loss, loss_weight=15.0)),
            dict(
                module='decode_head.conv_seg',
                name='logits',
                loss=dict(loss, loss_weight=3.0)),
        ]),
    dict(
        type='FeatureAlignment',
        name='stage4',
        student='backbone:3',
        teacher='backbone:3',
        in_channels=256,
        out_channels=512,
        loss=dict(loss, loss_weight=15.0)),
    dict(
        type='FeatureAlignment',
        name='stage3',
        student='backbone:2',
        teacher='backbone:2',
        in_channels=160,
        out_channels=320,
        loss=dict(loss, loss_weight=15.0)),
]
model = dict(
    type='DistilledEncoderDecoder',
    teacher=dict(
        config='mmseg::segformer/'
        'segformer_mit-b3_8xb1-160k_cityscapes-1024x1024.py',
        checkpoint='checkpoints/teacher_segformer_mit-b3_cityscapes.pth'),
    alignments=alignments)
train_dataloader = dict(batch_size=8)
