# GAIN with DFNet-2.
_base_ = './gain-r18.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
imagenet = dict(checkpoint='checkpoints/gain-df2_imagenet.pth')
model = dict(
    backbone=dict(_delete_=True, type='DFNet', arch='df2', norm_cfg=norm_cfg),
    neck=dict(in_channels=[128, 256, 512], guide_index=0),
    decode_head=dict(type='GAINLightHead', in_channels=[128, 128, 128]))
