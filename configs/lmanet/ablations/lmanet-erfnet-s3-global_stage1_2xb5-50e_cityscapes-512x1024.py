# Table II, S=3, every position read: 73.38 at work size.
# First stage.
_base_ = '../lmanet-erfnet-s4-r21_stage1_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(memory_size=3, window_size=None))
train_dataloader = dict(dataset=dict(clip_length=4))
val_dataloader = dict(dataset=dict(clip_length=4))
test_dataloader = val_dataloader
