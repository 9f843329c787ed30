# Table 9a, MI, at Seg50: 75.7 mIoU (tested at 768x1536, Seg75: 79.0).
_base_ = './sctnet-b-seg50-bfa_2xb8-160k_cityscapes-512x1024.py'
alignments = _base_.model.alignments
for alignment, channels in zip(alignments, (19, 256, 512, 320)):
    alignment.loss = dict(
        type='VariationalInformationLoss',
        channels=channels,
        loss_weight=alignment.loss.loss_weight)
model = dict(alignments=alignments)
