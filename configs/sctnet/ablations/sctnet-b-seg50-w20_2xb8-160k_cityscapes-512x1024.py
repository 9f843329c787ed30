# Table 9c, 3,20,20,20, at Seg50: 75.0 mIoU (tested at 768x1536, Seg75: 78.6).
_base_ = './sctnet-b-seg50-bfa_2xb8-160k_cityscapes-512x1024.py'
bfa = _base_.bfa
for place in ('decoder', 'stage4', 'stage3'):
    bfa[place].loss.loss_weight = 20.0
model = dict(alignments=list(bfa.values()))
