# Table 6, +CFBlock, at Seg50: 75.2 mIoU (tested at 768x1536, Seg75: 77.5);
# also Table 9, baseline.
_base_ = '../sctnet-b-seg50_2xb8-160k_cityscapes-512x1024.py'
model = dict(_base_.model, _delete_=True, type='EncoderDecoder')
model.pop('teacher')
model.pop('alignments')
