# Table 5, DDRNet-23 + SIAM: 79.6 mIoU (alone 79.5). Two branches: DDRNet
# gives a pair (detail, context) in training and their sum in a test, so what
# is aligned are modules, which are called in both.
_base_ = [
    'mmseg::ddrnet/ddrnet_23_in1k-pre_2xb6-120k_cityscapes-1024x1024.py',
    '../../_base_/plugin.py', '../../_base_/models/siam.py'
]
siam = _base_.siam
siam.decoder.student = 'decode_head.head'
siam.stage4.student = 'backbone.spp'
siam.stage3.update(
    student='backbone.context_branch_layers.1', in_channels=512)
model = dict(
    type='DistilledEncoderDecoder',
    teacher=dict(
        config='mmseg::segformer/'
        'segformer_mit-b3_8xb1-160k_cityscapes-1024x1024.py',
        checkpoint='checkpoints/teacher_segformer_mit-b3_cityscapes.pth'),
    alignments=list(siam.values()))
train_dataloader = dict(batch_size=8)
