# ADE20K as GAIN's official code trains on it (at batch 16, where a crop that
# one class fills to 75 % is drawn anew) and tests: short side 512, bicubic.
_base_ = ['./ade20k_512x512.py', '../augmentations/gain.py']
crop_size = (512, 512)
train_steps = dict(
    load_image=_base_.train_steps.load_image,
    load_annotations=_base_.train_steps.load_annotations,
    **_base_.augmentation,
    pack=_base_.train_steps.pack)
train_steps['crop'].cat_max_ratio = 0.75
train_steps['pad'].size = crop_size
train_steps['crop'].crop_size = crop_size
train_pipeline = list(train_steps.values())
train_steps.update(_delete_=True)  # none of the data set's own
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_steps = _base_.test_steps
test_steps.resize.interpolation = 'bicubic'
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
