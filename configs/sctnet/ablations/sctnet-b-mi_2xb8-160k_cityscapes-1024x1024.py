# Table 9a, MI: 79.7 mIoU (baseline 78.5, CWD 79.7).
_base_ = './sctnet-b-bfa_2xb8-160k_cityscapes-1024x1024.py'
alignments = _base_.model.alignments
for alignment, channels in zip(alignments, (19, 256, 512, 320)):
    alignment.loss = dict(
        type='VariationalInformationLoss',
        channels=channels,
        loss_weight=alignment.loss.loss_weight)
model = dict(alignments=alignments)
