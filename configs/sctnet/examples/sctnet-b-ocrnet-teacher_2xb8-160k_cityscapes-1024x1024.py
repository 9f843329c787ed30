# Table 10, OCRNet as the teacher: 80.0 mIoU (SegFormer: 80.5). A stock
# cascade; its context block takes two inputs, so the shared part of its
# decoder is the classifier.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
siam, shared = _base_.siam, _base_.shared
shared.classifier.module = 'decode_head.1.conv_seg'
siam.decoder.update(out_channels=512, decoder=[shared.classifier])
siam.stage4.out_channels = 384
siam.stage3.out_channels = 192
context = dict(
    siam.stage4,
    name='decoder',
    student='backbone:0',
    teacher='decode_head.1.object_context_block',
    in_channels=256,
    out_channels=512)
model = dict(
    teacher=dict(
        _delete_=True,
        config='mmseg::ocrnet/ocrnet_hr48_4xb2-160k_cityscapes-512x1024.py',
        checkpoint='checkpoints/teacher_ocrnet_hr48_cityscapes.pth'),
    alignments=[*siam.values(), context])
