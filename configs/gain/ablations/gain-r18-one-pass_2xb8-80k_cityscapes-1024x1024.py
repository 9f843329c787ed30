# One pass of criss-cross attention: a position sees its row and column only.
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    neck=dict(
        interpolation=dict(
            attention=dict(type='GuidedCrissCrossAttention', recurrence=1))))
