# Table 6, +BFA, at Seg50: 75.7 mIoU (tested at 768x1536, Seg75: 79.1); also
# Table 9a, CWD, and 9c, 3,15,15,15.
_base_ = '../sctnet-b-seg50_2xb8-160k_cityscapes-512x1024.py'
model = dict(alignments=list(_base_.bfa.values()))
