# Cityscapes as GAIN's official code trains on it, in its order.
_base_ = './cityscapes_512x1024.py'
crop_size = (1024, 1024)
train_pipeline = _base_.train_pipeline[:2] + [
    dict(type='RandomScale', ratio_range=(0.5, 2.0), interpolation='bicubic'),
    dict(type='PadBothSides', size=crop_size, pad_val=0, seg_pad_val=255),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandomColorJitter',
        brightness=(0.75, 1.25),
        contrast=(0.75, 1.25),
        saturation=(0.75, 1.25),
        hue=(-0.25, 0.25),
        prob=1.0,
        random_order=True),
    dict(type='RandomGaussianBlur', sigma=(0.15, 1.3)),
    dict(type='PackSegInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
