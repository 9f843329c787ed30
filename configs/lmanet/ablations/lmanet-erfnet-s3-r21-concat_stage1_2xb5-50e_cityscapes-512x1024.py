# Table III, S=3 R=21, concatenation: 73.14 at work size, gated fusion 73.37.
# First stage.
_base_ = '../lmanet-erfnet-s4-r21_stage1_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(
    memory_size=3,
    fusion=dict(
        _delete_=True, type='ConcatFusion', norm_cfg=_base_.norm_cfg)))
train_dataloader = dict(dataset=dict(clip_length=4))
val_dataloader = dict(dataset=dict(clip_length=4))
test_dataloader = val_dataloader
