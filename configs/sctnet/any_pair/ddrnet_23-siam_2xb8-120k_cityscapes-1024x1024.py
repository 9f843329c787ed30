# Table 5, DDRNet-23 + SIAM: 79.6 mIoU (alone 79.5). Two branches: DDRNet
# gives a pair (detail, context) in training and their sum in a test, so what
# is aligned are modules, which are called in both.
_base_ = 'mmseg::ddrnet/ddrnet_23_in1k-pre_2xb6-120k_cityscapes-1024x1024.py'
custom_imports = dict(imports=['rtseg_plugin'], allow_failed_imports=False)
custom_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='RandomStateHook')
]
loss = dict(type='ChannelWiseDistillationLoss', temperature=4.0)
alignments = [
    dict(
        type='SharedDecoderAlignment',
        student='decode_head.head',
        in_channels=128,
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
        student='backbone.spp',
        teacher='backbone:3',
        in_channels=256,
        out_channels=512,
        loss=dict(loss, loss_weight=15.0)),
    dict(
        type='FeatureAlignment',
        name='stage3',
        student='backbone.context_branch_layers.1',
        teacher='backbone:2',
        in_channels=512,
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
