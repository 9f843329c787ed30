# Table 9c, 3,10,10,10, at Seg50: 75.5 mIoU (tested at 768x1536, Seg75: 78.9).
_base_ = './sctnet-b-seg50-bfa_2xb8-160k_cityscapes-512x1024.py'
bfa = _base_.bfa
for place in ('decoder', 'stage4', 'stage3'):
    bfa[place].loss.loss_weight = 10.0
model = dict(alignments=list(bfa.values()))
