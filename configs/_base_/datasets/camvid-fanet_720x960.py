# CamVid as FANet trains on it.
_base_ = ['./camvid_720x960.py', '../augmentations/fanet.py']
train_steps = _base_.train_steps
train_steps.update(_base_.augmentation)
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
