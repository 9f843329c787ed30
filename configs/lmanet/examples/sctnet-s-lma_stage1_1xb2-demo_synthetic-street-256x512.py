# SCTNet-S with a memory on the feature that its head takes. What trained it, a
# teacher, is not needed any more: backbone and heads are those of the image
# config, whose demo checkpoint is the start. No published result.
#   mim train rtseg_plugin \
#       sctnet-s-lma_stage1_1xb2-demo_synthetic-street-256x512.py
_base_ = [
    '../../_base_/models/sctnet-s.py',
    '../../_base_/datasets/synthetic-street-sequence_256x512.py',
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adamw-poly_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
image = _base_.model
image.backbone.norm_cfg = norm_cfg
image.decode_head.norm_cfg = norm_cfg
image.data_preprocessor.update(
    type='VideoSegDataPreProcessor', size=(256, 512))
model = dict(
    _delete_=True,
    type='VideoEncoderDecoder',
    decode_all=True,
    # near the image network from the start, so that minutes of training
    # suffice
    neck=dict(
        type='LocalMemoryAttention',
        in_channels=128,
        in_index=0,
        value_channels=None,
        fusion=dict(type='BlendFusion', first_gate=0.3)),
    data_preprocessor=image.data_preprocessor,
    backbone=image.backbone,
    decode_head=image.decode_head,
    train_cfg=image.train_cfg,
    test_cfg=image.test_cfg)
train_dataloader = dict(batch_size=2)
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='FreezeHook',
        prefixes=['backbone', 'decode_head'],
        eval_mode=True)
]
optim_wrapper = dict(optimizer=dict(lr=3e-4))
train_cfg = dict(max_iters=200, val_interval=200)
default_hooks = dict(checkpoint=dict(interval=200))
load_from = ('work_dirs/sctnet-s-plain_1xb4-demo_synthetic-street-256x512/'
             'iter_450.pth')
