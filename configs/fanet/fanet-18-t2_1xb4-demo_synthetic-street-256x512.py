# FANet-18+Temp, t=2, on the synthetic streets, from the image network that
# fanet-18_1xb4-demo_synthetic-street-256x512.py trained.
#   mim train rtseg_plugin \
#       fanet-18-t2_1xb4-demo_synthetic-street-256x512.py
_base_ = [
    '../_base_/models/fanet-18.py',
    '../_base_/datasets/synthetic-street-sequence_256x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
auxiliary_head = _base_.model.auxiliary_head
for head in auxiliary_head:
    head.norm_cfg = norm_cfg
model = dict(
    type='VideoEncoderDecoder',
    decode_all=True,
    data_preprocessor=dict(type='VideoSegDataPreProcessor', size=(256, 512)),
    backbone=dict(norm_cfg=norm_cfg, init_cfg=None),
    neck=dict(
        type='TemporalFastAttentionNeck', num_frames=2, norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=auxiliary_head)
train_dataloader = dict(dataset=dict(clip_length=2))
val_dataloader = dict(dataset=dict(clip_length=2))
optim_wrapper = dict(optimizer=dict(lr=3e-4), paramwise_cfg=None)
train_cfg = dict(max_iters=100, val_interval=100)
default_hooks = dict(checkpoint=dict(interval=100))
load_from = ('work_dirs/fanet-18_1xb4-demo_synthetic-street-256x512/'
             'iter_400.pth')
