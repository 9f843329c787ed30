# Table 9c, 3,0,0,0, at Seg50: 75.3 mIoU (tested at 768x1536, Seg75: 78.5).
_base_ = './sctnet-b-seg50-bfa_2xb8-160k_cityscapes-512x1024.py'
model = dict(alignments=[_base_.bfa.logits])
