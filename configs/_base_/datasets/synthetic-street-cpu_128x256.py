# Crops of a quarter of the street scenes, some of them of scenes at half
# their size: four times as many in the same time, and each teaches nearly as
# much. Validation is on whole scenes.
_base_ = './synthetic-street-cpu_256x512.py'
crop_size = (128, 256)
train_steps = _base_.train_steps
train_steps.resize.ratio_range = (0.5, 1.25)
train_steps.crop.crop_size = crop_size
train_steps.pad.size = crop_size[::-1]
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
