# Table 6, +CFBlock, in miniature (make claims): no teacher.
_base_ = '../sctnet-s_1xb12-demo_synthetic-street-128x256.py'
model = dict(_base_.model, _delete_=True, type='EncoderDecoder')
model.pop('teacher')
model.pop('alignments')
