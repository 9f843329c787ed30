# Table 9a, L2: 77.8 mIoU (baseline 78.5, CWD 79.7).
_base_ = './sctnet-b-bfa_2xb8-160k_cityscapes-1024x1024.py'
alignments = _base_.model.alignments
for alignment in alignments:
    alignment.loss = dict(
        type='L2DistillationLoss', loss_weight=alignment.loss.loss_weight)
model = dict(alignments=alignments)
