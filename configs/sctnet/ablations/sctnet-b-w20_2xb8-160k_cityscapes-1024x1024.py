# Table 9c, weights 3,20,20,20: 79.1 mIoU (3,15,15,15: 79.7). The rows
# 0,0,0,0 and 3,0,0,0 are sctnet-b-no-teacher and sctnet-b-logits.
_base_ = './sctnet-b-bfa_2xb8-160k_cityscapes-1024x1024.py'
bfa = _base_.bfa
for place in ('decoder', 'stage4', 'stage3'):
    bfa[place].loss.loss_weight = 20.0
model = dict(alignments=list(bfa.values()))
