# CamVid as the RTFormer paper describes it.
_base_ = './camvid-trainval_720x960.py'
crop_size = (720, 960)
train_pipeline = _base_.train_pipeline[:2] + [
    # the short side, 720 in CamVid, becomes 288 to 1152
    dict(
        type='RandomResize',
        scale=(960, 720),
        ratio_range=(0.4, 1.6),
        keep_ratio=True),
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
