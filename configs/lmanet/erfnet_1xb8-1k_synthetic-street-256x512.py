# ERFNet on 2000 scenes, second stage: whole scenes, and a rate that falls to
# nothing. The start of the video network that the package holds.
#   mim train rtseg_plugin erfnet_1xb8-1k_synthetic-street-256x512.py
_base_ = './erfnet_1xb8-1k_synthetic-street-128x256.py'
crop_size = (256, 512)
train_steps = _base_.train_steps
train_steps.resize.ratio_range = (0.75, 1.25)
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(data_preprocessor=dict(size=crop_size))
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [_base_.warm_up, _base_.decay]
train_cfg = dict(max_iters=900, val_interval=225)
load_from = ('work_dirs/erfnet_1xb8-1k_synthetic-street-128x256/'
             'iter_1200.pth')
