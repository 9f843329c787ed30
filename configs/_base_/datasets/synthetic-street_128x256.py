# The street scenes at half their size: a quarter of the time per image.
_base_ = './synthetic-street_256x512.py'
crop_size = (128, 256)
train_pipeline = _base_.train_pipeline
train_pipeline[2].scale = (256, 128)
train_pipeline[3].crop_size = crop_size
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (256, 128)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
