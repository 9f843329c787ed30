# Fig. 3, Conv-0: the image is halved; loses most.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(backbone=dict(strides=(1, 2, 2, 2), halve_image=True))
