# Table 6, +CFBlock: 78.5 mIoU; also Table 9, baseline. No teacher.
_base_ = '../sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py'
model = dict(
    _delete_=True,
    type='EncoderDecoder',
    data_preprocessor=_base_.model.data_preprocessor,
    backbone=_base_.model.backbone,
    decode_head=_base_.model.decode_head,
    auxiliary_head=_base_.model.auxiliary_head,
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
