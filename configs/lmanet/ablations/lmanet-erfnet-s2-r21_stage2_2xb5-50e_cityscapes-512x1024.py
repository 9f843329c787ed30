# Table I, S=2 R=21: 73.41 at work size.
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(memory_size=2))
train_dataloader = dict(dataset=dict(clip_length=3))
val_dataloader = dict(dataset=dict(clip_length=3))
test_dataloader = val_dataloader
load_from = ('work_dirs/lmanet-erfnet-s2-r21_stage1_2xb5-50e_cityscapes-'
             '512x1024/epoch_50.pth')
