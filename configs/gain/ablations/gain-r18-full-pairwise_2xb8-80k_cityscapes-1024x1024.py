# The paper's summary to the letter: queries of the guide alone and full
# pairwise affinity. Not in the official code.
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    neck=dict(
        interpolation=dict(
            type='GuideQueryInterpolation',
            attention=dict(type='GuidedDenseAttention'))))
