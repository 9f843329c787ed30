# Cityscapes as GAIN's official code trains on it.
_base_ = ['./cityscapes_512x1024.py', '../augmentations/gain.py']
crop_size = (1024, 1024)
train_steps = dict(
    load_image=_base_.train_steps.load_image,
    load_annotations=_base_.train_steps.load_annotations,
    **_base_.augmentation,
    pack=_base_.train_steps.pack)
train_steps['pad'].size = crop_size
train_steps['crop'].crop_size = crop_size
train_pipeline = list(train_steps.values())
train_steps.update(_delete_=True)  # none of the data set's own
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
