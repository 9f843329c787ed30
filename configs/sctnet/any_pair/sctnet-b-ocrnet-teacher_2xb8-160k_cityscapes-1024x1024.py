# Table 10, OCRNet as the teacher: 80.0 mIoU (SegFormer: 80.5). A stock
# cascade; its context block takes two inputs, so the shared part of its
# decoder is the classifier.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
alignments = _base_.model.alignments
alignments[0].update(
    out_channels=512,
    decoder=[
        dict(
            module='decode_head.1.conv_seg',
            name='logits',
            loss=dict(
                type='ChannelWiseDistillationLoss',
                temperature=4.0,
                loss_weight=3.0))
    ])
for alignment, channels in zip(alignments[1:], (384, 192)):
    alignment.out_channels = channels
alignments.append(
    dict(
        alignments[1],
        name='decoder',
        student='backbone:0',
        teacher='decode_head.1.object_context_block',
        in_channels=256,
        out_channels=512))
model = dict(
    teacher=dict(
        _delete_=True,
        config='mmseg::ocrnet/ocrnet_hr48_4xb2-160k_cityscapes-512x1024.py',
        checkpoint='checkpoints/teacher_ocrnet_hr48_cityscapes.pth'),
    alignments=alignments)
