# The street scenes at half their size: a quarter of the time per image.
_base_ = './synthetic-street_256x512.py'
crop_size = (128, 256)
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.resize.scale = (256, 128)
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
test_steps.resize.scale = (256, 128)
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
