# The alignments of SCTNet with a SegFormer (B1 or larger): the student's
# feature passes the last layers of the teacher's head, stage 4 and stage 3 are
# compared directly. Channels of the student are those of SCTNet-S.
loss = dict(type='ChannelWiseDistillationLoss', temperature=4.0)
fusion_loss = dict(loss, loss_weight=15.0)
shared = dict(
    fusion=dict(
        module='decode_head.fusion_conv', name='decoder', loss=fusion_loss),
    classifier=dict(
        module='decode_head.conv_seg',
        name='logits',
        loss=dict(loss, loss_weight=3.0)))
siam = dict(
    decoder=dict(
        type='SharedDecoderAlignment',
        student='backbone:0',
        in_channels=128,
        out_channels=1024,
        decoder=list(shared.values())),
    stage4=dict(
        type='FeatureAlignment',
        name='stage4',
        student='backbone:3',
        teacher='backbone:3',
        in_channels=256,
        out_channels=512,
        loss=fusion_loss),
    stage3=dict(
        type='FeatureAlignment',
        name='stage3',
        student='backbone:2',
        teacher='backbone:2',
        in_channels=128,
        out_channels=320,
        loss=fusion_loss))
# Table 6's +BFA: all four locations are aligned directly, nothing passes the
# teacher's head
bfa = dict(
    logits=dict(
        type='FeatureAlignment',
        name='logits',
        student='decode_head.conv_seg',
        teacher='decode_head.conv_seg',
        loss=shared['classifier']['loss']),
    decoder=dict(
        type='FeatureAlignment',
        name='decoder',
        student='backbone:0',
        teacher='decode_head.fusion_conv',
        in_channels=128,
        out_channels=256,
        loss=fusion_loss),
    stage4=siam['stage4'],
    stage3=siam['stage3'])
