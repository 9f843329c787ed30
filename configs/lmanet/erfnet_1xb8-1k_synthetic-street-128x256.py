# ERFNet on crops of 2000 scenes and in bfloat16, first stage: a rate that
# stays.
#   python tools/dataset_converters/synthetic_street.py \
#       data/synthetic_street --train 2000 --val 80
#   mim train rtseg_plugin erfnet_1xb8-1k_synthetic-street-128x256.py
_base_ = './erfnet_1xb8-demo_synthetic-street-128x256.py'
train_steps, test_steps = _base_.train_steps, _base_.test_steps
# crops of whole scenes, some of them of scenes at half their size
train_steps.resize.update(scale=(512, 256), ratio_range=(0.5, 1.25))
train_pipeline = list(train_steps.values())
test_steps.resize.scale = (512, 256)
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
model = dict(
    decode_head=dict(
        loss_decode=dict(_delete_=True, type='HardExampleCrossEntropyLoss')))
optim_wrapper = dict(
    type='AmpOptimWrapper',
    dtype='bfloat16',
    optimizer=dict(lr=2e-3),
    # ten times the rate for a head harms where all starts at random
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=1.))))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
param_scheduler = [_base_.warm_up]
train_cfg = dict(max_iters=1200, val_interval=400)
default_hooks = dict(checkpoint=dict(interval=200))
