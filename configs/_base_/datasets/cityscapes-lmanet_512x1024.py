# Cityscapes images for the single frame that LMANet starts from.
_base_ = ['./cityscapes_512x1024.py', '../augmentations/lmanet.py']
train_steps = dict(
    load_image=_base_.train_steps.load_image,
    load_annotations=_base_.train_steps.load_annotations,
    **_base_.flip_and_shift,
    relabel=_base_.relabel,
    pack=_base_.train_steps.pack)
train_pipeline = list(train_steps.values())
train_steps.update(_delete_=True)  # none of the data set's own
train_dataloader = dict(
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
test_steps = dict(_base_.test_steps, resize=_base_.flip_and_shift.resize)
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps['load_image'], test_steps['resize'], _base_.tta]
test_steps.update(resize=dict(_base_.flip_and_shift.resize, _delete_=True))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
