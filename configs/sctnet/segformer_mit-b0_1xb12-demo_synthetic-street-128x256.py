# The teacher of the demo: SegFormer-B0 on small crops of the synthetic
# streets.
#   mim train rtseg_plugin \
#       segformer_mit-b0_1xb12-demo_synthetic-street-128x256.py
_base_ = [
    '../_base_/models/segformer-b0.py',
    '../_base_/datasets/synthetic-street-cpu_128x256.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
model = dict(
    data_preprocessor=dict(size=(128, 256)),
    decode_head=dict(
        loss_decode=dict(
            _delete_=True, type='HardExampleCrossEntropyLoss')))
train_dataloader = dict(batch_size=12)
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(max_iters=80, val_interval=80)
default_hooks = dict(checkpoint=dict(interval=80))
