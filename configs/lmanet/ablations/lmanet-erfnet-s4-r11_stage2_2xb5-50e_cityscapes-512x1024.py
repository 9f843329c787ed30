# Table II, S=4 R=11: 73.21 at work size.
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(window_size=11))
load_from = ('work_dirs/lmanet-erfnet-s4-r11_stage1_2xb5-50e_cityscapes-'
             '512x1024/epoch_50.pth')
