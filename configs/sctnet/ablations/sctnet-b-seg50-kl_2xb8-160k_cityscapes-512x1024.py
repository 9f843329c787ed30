# Table 9a, KL, at Seg50: 75.2 mIoU (tested at 768x1536, Seg75: 77.6).
_base_ = './sctnet-b-seg50-bfa_2xb8-160k_cityscapes-512x1024.py'
alignments = _base_.model.alignments
for alignment in alignments:
    alignment.loss = dict(
        type='KLDistillationLoss', loss_weight=alignment.loss.loss_weight)
model = dict(alignments=alignments)
