# Table 9b, logits, decoder, stage 4: 79.3 mIoU (none 78.2, all four 79.7).
_base_ = './sctnet-b-bfa_2xb8-160k_cityscapes-1024x1024.py'
model = dict(alignments=[
    _base_.bfa.logits, _base_.bfa.decoder, _base_.bfa.stage4
])
