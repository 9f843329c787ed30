# CamVid as FANet trains on it: scales of the article, jitter of its
# official code (the article has some, of unstated strength).
_base_ = './camvid_720x960.py'
train_pipeline = _base_.train_pipeline
train_pipeline[2].ratio_range = (0.75, 2.0)
train_pipeline[5] = dict(
    type='RandomColorJitter',
    brightness=(0.5, 1.5),
    contrast=(0.5, 1.5),
    saturation=(0.5, 1.5),
    hue=None,
    prob=1.0,
    random_order=False)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
