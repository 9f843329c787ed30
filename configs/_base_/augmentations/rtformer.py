# The augmentation of the official RTFormer.
augmentation = dict(
    # relative to each image's own size, seven equally likely values
    resize=dict(
        type='RandomChoice',
        transforms=[[dict(type='Resize', scale_factor=i / 4, keep_ratio=True)]
                    for i in range(2, 9)]),
    # before the crop, so that short images are filled up as in the official
    # code: grey (one value per channel) at the bottom and right
    pad=dict(type='Pad', pad_val=dict(img=(127.5, 127.5, 127.5), seg=255)),
    crop=dict(type='RandomCrop'),
    flip=dict(type='RandomFlip', prob=0.5),
    color=dict(type='RandomColorJitter'))
