# Table I, S=1 R=21: 73.34 at work size.
# First stage.
_base_ = '../lmanet-erfnet-s4-r21_stage1_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(memory_size=1))
train_dataloader = dict(dataset=dict(clip_length=2))
val_dataloader = dict(dataset=dict(clip_length=2))
test_dataloader = val_dataloader
