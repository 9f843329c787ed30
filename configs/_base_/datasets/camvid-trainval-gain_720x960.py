# CamVid, train and val together, as GAIN's official code trains on it.
_base_ = ['./camvid-trainval_720x960.py', '../augmentations/gain.py']
crop_size = (720, 960)
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
