# LMANet on the synthetic streets, first stage: key, value and fusion layers.
# Starts from erfnet_1xb8-demo_synthetic-street-128x256.py; `make demo-video`
# runs all of it.
#   mim train rtseg_plugin \
#       lmanet-erfnet-s4-r21_stage1_1xb4-demo_synthetic-street-128x256.py
_base_ = [
    '../_base_/models/lmanet-erfnet.py',
    '../_base_/datasets/synthetic-street-sequence_128x256.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
norm_cfg = dict(type='BN', eps=1e-3, requires_grad=True)
train_steps = _base_.train_steps
pack = train_steps.pop('pack')
train_steps.update(
    relabel=dict(type='RelabelPixels', old=255, new=19), pack=pack)
train_pipeline = list(train_steps.values())
train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
model = dict(
    decode_all=True,
    data_preprocessor=dict(size=(128, 256)),
    backbone=dict(norm_cfg=norm_cfg, dropout_ratios=(0., 0.)),
    neck=dict(fusion=dict(norm_cfg=norm_cfg, dropout_ratio=0.)),
    decode_head=dict(norm_cfg=norm_cfg))
# statistics of few clips of one scene would drift away from the checkpoint's
frozen = dict(
    type='FreezeHook',
    prefixes=['backbone', 'decode_head'],
    eval_mode=True)
custom_hooks = [*_base_.plugin_hooks, frozen]
train_cfg = dict(max_iters=300, val_interval=300)
default_hooks = dict(checkpoint=dict(interval=300))
load_from = ('work_dirs/erfnet_1xb8-demo_synthetic-street-128x256/'
             'iter_1000.pth')
