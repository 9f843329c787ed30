# ADE20K as GAIN's official code trains on it (at batch 16, where a crop that
# one class fills to 75 % is drawn anew) and tests: short side 512, bicubic.
_base_ = './ade20k_512x512.py'
crop_size = (512, 512)
train_pipeline = _base_.train_pipeline[:2] + [
    dict(type='RandomScale', ratio_range=(0.5, 2.0), interpolation='bicubic'),
    dict(type='PadBothSides', size=crop_size, pad_val=0, seg_pad_val=255),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
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
test_pipeline = [
    _base_.load_image,
    dict(
        type='Resize',
        scale=(2048, 512),
        keep_ratio=True,
        interpolation='bicubic'),
    # annotations are loaded after Resize: truth keeps its own size
    _base_.load_annotations,
    dict(type='PackSegInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
