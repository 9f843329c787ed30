# FANet's augmentation: scales of the article, jitter of its official code (the
# article has some, of unstated strength).
augmentation = dict(
    resize=dict(ratio_range=(0.75, 2.0)),
    crop=dict(cat_max_ratio=1.0),  # anywhere, whatever is in it
    color=dict(
        type='RandomColorJitter',
        brightness=(0.5, 1.5),
        contrast=(0.5, 1.5),
        saturation=(0.5, 1.5),
        hue=None,
        prob=1.0,
        random_order=False))
