# Table I, S=5 R=21: 73.46 at work size.
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(memory_size=5))
train_dataloader = dict(dataset=dict(clip_length=6))
val_dataloader = dict(dataset=dict(clip_length=6))
test_dataloader = val_dataloader
load_from = ('work_dirs/lmanet-erfnet-s5-r21_stage1_2xb5-50e_cityscapes-'
             '512x1024/epoch_50.pth')
