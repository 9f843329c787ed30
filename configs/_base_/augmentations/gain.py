# The augmentation of GAIN's official code, in its order.
augmentation = dict(
    resize=dict(
        type='RandomScale', ratio_range=(0.5, 2.0), interpolation='bicubic'),
    pad=dict(type='PadBothSides', pad_val=0, seg_pad_val=255),
    crop=dict(type='RandomCrop'),
    flip=dict(type='RandomFlip', prob=0.5),
    color=dict(
        type='RandomColorJitter',
        brightness=(0.75, 1.25),
        contrast=(0.75, 1.25),
        saturation=(0.75, 1.25),
        hue=(-0.25, 0.25),
        prob=1.0,
        random_order=True),
    blur=dict(type='RandomGaussianBlur', sigma=(0.15, 1.3)))
