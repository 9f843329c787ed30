# The same on whole scenes: the video network that the package holds.
_base_ = './erfnet-blend-s4-r21_stage1_1xb4-demo_synthetic-street-128x256.py'
crop_size = (256, 512)
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
model = dict(data_preprocessor=dict(size=crop_size))
load_from = ('work_dirs/erfnet_1xb8-1k_synthetic-street-256x512/'
             'iter_900.pth')
