# Cityscapes clips for FANet+Temp: the frame before the annotated one and that
# one, augmented as the images of fanet_cityscapes_1024x1024.py, drawn once for
# a clip; tested at full size.
_base_ = './cityscapes-sequence_512x1024.py'
crop_size = (1024, 1024)
clip_length = 2
train_pipeline = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations', num_classes=19),
    dict(
        type='ApplyToClip',
        transforms=[
            dict(
                type='RandomResize',
                scale=(2048, 1024),
                ratio_range=(0.75, 2.0),
                keep_ratio=True),
            dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5),
            dict(
                type='RandomColorJitter',
                brightness=(0.5, 1.5),
                contrast=(0.5, 1.5),
                saturation=(0.5, 1.5),
                hue=None,
                prob=1.0,
                random_order=False)
        ]),
    dict(type='PackClipInputs')
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations', num_classes=19),
    dict(type='PackClipInputs')
]
train_dataloader = dict(
    batch_size=8,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(clip_length=clip_length, pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(clip_length=clip_length, pipeline=test_pipeline))
test_dataloader = val_dataloader
