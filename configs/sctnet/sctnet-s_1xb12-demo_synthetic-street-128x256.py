# SCTNet-S on small crops of the synthetic streets, with the teacher of
# segformer_mit-b0_1xb12-demo_synthetic-street-128x256.py; `make demo` runs
# it.
#   mim train rtseg_plugin sctnet-s_1xb12-demo_synthetic-street-128x256.py
_base_ = [
    '../_base_/models/sctnet-s.py',
    '../_base_/datasets/synthetic-street-cpu_128x256.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
# rare classes are hard ones: the mean is over the pixels not yet learnt
loss = dict(type='HardExampleCrossEntropyLoss')
alignments = _base_.model.alignments
for alignment, channels in zip(alignments, (512, 256, 160)):
    alignment.out_channels = channels
    # minutes do not make a teacher of whom much is to be learnt: a fifth of
    # the paper's weights
    for part in alignment.get('decoder', [alignment]):
        part.loss.loss_weight /= 5
model = dict(
    data_preprocessor=dict(size=(128, 256)),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(
        norm_cfg=norm_cfg, loss_decode=dict(_delete_=True, **loss)),
    auxiliary_head=dict(
        norm_cfg=norm_cfg,
        loss_decode=dict(_delete_=True, loss_weight=0.4, **loss)),
    teacher=dict(
        config=dict(
            backbone=dict(embed_dims=32, num_layers=[2, 2, 2, 2]),
            decode_head=dict(
                in_channels=[32, 64, 160, 256],
                channels=128,
                norm_cfg=norm_cfg)),
        checkpoint='work_dirs/segformer_mit-b0_1xb12-demo_synthetic-street-'
        '128x256/iter_250.pth'),
    alignments=alignments)
train_dataloader = dict(batch_size=12)
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
train_cfg = dict(max_iters=600, val_interval=300)
default_hooks = dict(checkpoint=dict(interval=300))
