# Table 6, +CFBlock: 78.5 mIoU; also Table 9, baseline. No teacher.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
model = dict(_base_.model, _delete_=True, type='EncoderDecoder')
model.pop('teacher')
model.pop('alignments')
