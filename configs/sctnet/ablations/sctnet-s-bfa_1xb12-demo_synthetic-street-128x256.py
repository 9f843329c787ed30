# Table 6, +BFA, in miniature (make claims): the weights of the demo.
_base_ = '../sctnet-s_1xb12-demo_synthetic-street-128x256.py'
alignments = list(_base_.bfa.values())
for alignment in alignments:
    alignment.loss.loss_weight /= 5
model = dict(alignments=alignments)
