# Clips of the street scenes at half their size.
_base_ = './synthetic-street-sequence_256x512.py'
crop_size = (128, 256)
train_pipeline = _base_.train_pipeline
train_pipeline[2].transforms[0].scale = (256, 128)
train_pipeline[2].transforms[1].crop_size = crop_size
test_pipeline = _base_.test_pipeline
test_pipeline[1].transforms[0].scale = (256, 128)
snippet_pipeline = _base_.snippet_pipeline
snippet_pipeline[1].transforms[0].scale = (256, 128)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=snippet_pipeline))
