# Dense attention (NL), with the slip of the official code; about twice the
# multiply-adds of the whole network.
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    neck=dict(
        interpolation=dict(attention=dict(type='OfficialDenseAttention'))))
