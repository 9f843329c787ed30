# Table 6, +BFA: 79.7 mIoU; also Table 9a row CWD, 9b row 4, 9c row 3,15,15,15.
# All four locations are aligned directly, nothing passes the teacher's head.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
model = dict(alignments=list(_base_.bfa.values()))
