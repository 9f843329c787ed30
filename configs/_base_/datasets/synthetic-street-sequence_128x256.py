# Clips of the street scenes at half their size.
_base_ = './synthetic-street-sequence_256x512.py'
crop_size = (128, 256)
frame_steps, resize = _base_.frame_steps, _base_.resize
frame_steps.resize.scale = resize.scale = crop_size[::-1]
frame_steps.crop.crop_size = crop_size
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.augment.transforms = list(frame_steps.values())
train_pipeline = list(train_steps.values())
test_steps.resize.transforms = [resize]
test_pipeline = list(test_steps.values())
snippet_steps = _base_.snippet_steps
snippet_steps.resize.transforms = [resize]
snippet_pipeline = list(snippet_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=snippet_pipeline))
