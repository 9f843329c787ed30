# Table 10, Swin as the teacher: 79.8 mIoU (SegFormer: 80.5). The paper does
# not say which Swin; this is stock UPerNet on Swin-T, whose last two layers
# are the shared part of the decoder.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
alignments = _base_.model.alignments
alignments[0].out_channels = 2048
alignments[0].decoder[0].module = 'decode_head.fpn_bottleneck'
for alignment, channels in zip(alignments[1:], (768, 384)):
    alignment.out_channels = channels
model = dict(
    teacher=dict(
        _delete_=True,
        config='mmseg::_base_/models/upernet_swin.py',
        checkpoint='checkpoints/teacher_upernet_swin-t_cityscapes.pth'),
    alignments=alignments)
