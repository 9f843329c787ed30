# Cityscapes as FANet trains on it.
_base_ = ['./cityscapes_512x1024.py', '../augmentations/fanet.py']
crop_size = (1024, 1024)
train_steps = _base_.train_steps
train_steps.update(_base_.augmentation)
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
