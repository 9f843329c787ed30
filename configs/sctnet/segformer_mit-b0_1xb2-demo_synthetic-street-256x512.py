# A small teacher for the demo: stock SegFormer-B0, its head half as wide, on
# the synthetic streets.
#   mim train rtseg_plugin \
#       segformer_mit-b0_1xb2-demo_synthetic-street-256x512.py
_base_ = [
    '../_base_/models/segformer-b0.py',
    '../_base_/datasets/synthetic-street_256x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
train_dataloader = dict(batch_size=2)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
train_cfg = dict(max_iters=360, val_interval=120)
default_hooks = dict(checkpoint=dict(interval=120))
