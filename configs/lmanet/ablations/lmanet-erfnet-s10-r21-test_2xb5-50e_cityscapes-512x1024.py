# A larger memory at test only, trained with S=4: 73.71 at work size with S=10.
# For `mim test` with the checkpoint of the second stage.
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(memory_size=10))
val_dataloader = dict(dataset=dict(clip_length=11))
test_dataloader = val_dataloader
