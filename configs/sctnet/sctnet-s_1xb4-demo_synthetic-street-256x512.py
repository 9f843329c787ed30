# SCTNet-S on the synthetic streets with the small teacher of
# segformer_mit-b0_1xb2-demo_synthetic-street-256x512.py; `make demo` runs it.
#   mim train rtseg_plugin sctnet-s_1xb4-demo_synthetic-street-256x512.py
_base_ = [
    '../_base_/models/sctnet-s.py',
    '../_base_/datasets/synthetic-street_256x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adamw-poly_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
alignments = _base_.model.alignments
for alignment, channels in zip(alignments, (512, 256, 160)):
    alignment.out_channels = channels
model = dict(
    data_preprocessor=dict(size=(256, 512)),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=dict(norm_cfg=norm_cfg),
    teacher=dict(
        config=dict(
            backbone=dict(embed_dims=32, num_layers=[2, 2, 2, 2]),
            decode_head=dict(
                in_channels=[32, 64, 160, 256],
                channels=128,
                norm_cfg=norm_cfg)),
        checkpoint='work_dirs/segformer_mit-b0_1xb2-demo_synthetic-street-'
        '256x512/iter_360.pth'),
    alignments=alignments)
train_cfg = dict(max_iters=170, val_interval=85)
default_hooks = dict(checkpoint=dict(interval=85))
