# Cityscapes clips for FANet+Temp: the frame before the annotated one and that
# one, augmented as the images of cityscapes-fanet_1024x1024.py, drawn once for
# a clip; tested at full size.
_base_ = ['./cityscapes-sequence_512x1024.py', '../augmentations/fanet.py']
crop_size = (1024, 1024)
clip_length = 2
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.augment.transforms = [
    dict(
        type='RandomResize',
        scale=(2048, 1024),
        keep_ratio=True,
        **_base_.augmentation.resize),
    dict(
        type='RandomCrop', crop_size=crop_size, **_base_.augmentation.crop),
    dict(type='RandomFlip', prob=0.5),
    _base_.augmentation.color
]
train_pipeline = list(train_steps.values())
test_pipeline = [
    test_steps.load_clip, test_steps.load_annotations, test_steps.pack
]
tta_pipeline = [test_steps.load_clip, _base_.tta]
test_steps.pop('resize')
train_dataloader = dict(
    batch_size=8,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(clip_length=clip_length, pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(clip_length=clip_length, pipeline=test_pipeline))
test_dataloader = val_dataloader
