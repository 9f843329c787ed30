# Table 5, SegFormer-B0 + SIAM: 77.3 mIoU (alone 74.7). Stock student, stock
# teacher (SegFormer-B3): both by name, and the list of what is aligned.
_base_ = [
    'mmseg::segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024.py',
    '../../_base_/plugin.py', '../../_base_/models/siam.py'
]
siam = _base_.siam
siam.decoder.update(student='decode_head.fusion_conv', in_channels=256)
siam.stage3.in_channels = 160
model = dict(
    type='DistilledEncoderDecoder',
    teacher=dict(
        config='mmseg::segformer/'
        'segformer_mit-b3_8xb1-160k_cityscapes-1024x1024.py',
        checkpoint='checkpoints/teacher_segformer_mit-b3_cityscapes.pth'),
    alignments=list(siam.values()))
train_dataloader = dict(batch_size=8)
