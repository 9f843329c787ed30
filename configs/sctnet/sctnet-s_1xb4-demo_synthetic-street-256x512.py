# SCTNet-S on the synthetic streets with the small teacher of
# segformer_mit-b0_1xb2-demo_synthetic-street-256x512.py.
#   mim train rtseg_plugin sctnet-s_1xb4-demo_synthetic-street-256x512.py
_base_ = [
    '../_base_/models/sctnet-s_b0-teacher.py',
    '../_base_/datasets/synthetic-street_256x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
model = dict(
    data_preprocessor=dict(size=(256, 512)),
    teacher=dict(
        checkpoint='work_dirs/segformer_mit-b0_1xb2-demo_synthetic-street-'
        '256x512/iter_360.pth'))
train_cfg = dict(max_iters=170, val_interval=85)
default_hooks = dict(checkpoint=dict(interval=85))
