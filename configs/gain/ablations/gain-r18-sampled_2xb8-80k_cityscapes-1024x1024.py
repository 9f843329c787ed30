# Attention to 32 sampled points (Sparse), an experiment of the official code.
# Holds every sampled value: takes much memory.
_base_ = '../gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(
    neck=dict(
        interpolation=dict(attention=dict(type='GuidedSampledAttention'))))
