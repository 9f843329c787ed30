# Table 9a, KL: 78.6 mIoU (baseline 78.5, CWD 79.7).
_base_ = './sctnet-b-bfa_2xb8-160k_cityscapes-1024x1024.py'
alignments = _base_.model.alignments
for alignment in alignments:
    alignment.loss = dict(
        type='KLDistillationLoss', loss_weight=alignment.loss.loss_weight)
model = dict(alignments=alignments)
