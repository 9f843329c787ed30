# A larger memory at test only, trained with S=4: 73.77 at work size with S=19,
# all of a snippet that comes before its annotated frame. For `mim test` with
# the checkpoint of the second stage.
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
model = dict(neck=dict(memory_size=19))
val_dataloader = dict(dataset=dict(clip_length=20))
test_dataloader = val_dataloader
