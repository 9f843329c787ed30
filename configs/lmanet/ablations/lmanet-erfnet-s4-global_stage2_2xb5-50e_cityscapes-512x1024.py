# Table II, S=4, every position read: 73.49 at work size.
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(window_size=None))
load_from = ('work_dirs/lmanet-erfnet-s4-global_stage1_2xb5-50e_cityscapes-'
             '512x1024/epoch_50.pth')
