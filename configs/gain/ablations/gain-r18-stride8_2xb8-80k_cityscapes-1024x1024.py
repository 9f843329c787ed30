# Logits at an eighth of the input, without the finest feature, dropout and
# auxiliary heads (CLAHeadS8).
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    neck=dict(
        in_channels=[128, 256, 512], in_indices=[1, 2, 3], guide_index=0),
    decode_head=dict(
        type='GAINLightHead', in_channels=[128, 128, 128], dropout_ratio=0),
    auxiliary_head=None)
