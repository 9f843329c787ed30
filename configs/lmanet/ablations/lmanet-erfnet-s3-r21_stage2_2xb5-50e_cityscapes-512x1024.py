# Table I, S=3 R=21: 73.37 at work size.
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(memory_size=3))
train_dataloader = dict(dataset=dict(clip_length=4))
val_dataloader = dict(dataset=dict(clip_length=4))
test_dataloader = val_dataloader
load_from = ('work_dirs/lmanet-erfnet-s3-r21_stage1_2xb5-50e_cityscapes-'
             '512x1024/epoch_50.pth')
