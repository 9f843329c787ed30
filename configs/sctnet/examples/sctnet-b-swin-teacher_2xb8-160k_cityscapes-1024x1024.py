# Table 10 has a Swin as the teacher (79.8; SegFormer: 80.5) and does not
# say which, nor with what head; this is stock UPerNet on Swin-T, whose last
# two layers are the shared part of the decoder.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
siam, shared = _base_.siam, _base_.shared
shared.fusion.module = 'decode_head.fpn_bottleneck'
siam.decoder.update(out_channels=2048, decoder=list(shared.values()))
siam.stage4.out_channels = 768
siam.stage3.out_channels = 384
model = dict(
    teacher=dict(
        _delete_=True,
        config='mmseg::_base_/models/upernet_swin.py',
        checkpoint='checkpoints/teacher_upernet_swin-t_cityscapes.pth'),
    alignments=list(siam.values()))
