# Table 9a, L2, at Seg50: 73.0 mIoU (tested at 768x1536, Seg75: 76.8).
_base_ = './sctnet-b-seg50-bfa_2xb8-160k_cityscapes-512x1024.py'
alignments = _base_.model.alignments
for alignment in alignments:
    alignment.loss = dict(
        type='L2DistillationLoss', loss_weight=alignment.loss.loss_weight)
model = dict(alignments=alignments)
