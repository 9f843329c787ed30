# ADE20K with the augmentation and the test size of the official RTFormer.
_base_ = './ade20k_512x512.py'
crop_size = (512, 512)
train_pipeline = _base_.train_pipeline[:2] + [
    # relative to each image's own size, seven equally likely values
    dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=i / 4, keep_ratio=True)]
                    for i in range(2, 9)]),
    # before the crop, so that short images are filled up as in the official
    # code: grey (one value per channel) at the bottom and right
    dict(
        type='Pad',
        size=crop_size[::-1],
        pad_val=dict(img=(127.5, 127.5, 127.5), seg=255)),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomColorJitter'),
    dict(type='PackSegInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
# the sides are rounded up to multiples of 32
test_pipeline = _base_.test_pipeline[:2] + [
    dict(type='ResizeToMultiple', size_divisor=32)
] + _base_.test_pipeline[2:]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
