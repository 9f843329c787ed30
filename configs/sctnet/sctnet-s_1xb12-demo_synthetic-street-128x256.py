# SCTNet-S on small crops of the synthetic streets, with the teacher of
# segformer_mit-b0_1xb12-demo_synthetic-street-128x256.py: how `make demo`
# begins. A step takes three times as long as one without the teacher.
#   mim train rtseg_plugin sctnet-s_1xb12-demo_synthetic-street-128x256.py
_base_ = [
    '../_base_/models/sctnet-s_b0-teacher.py',
    '../_base_/datasets/synthetic-street-cpu_128x256.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
# rare classes are hard ones: the mean is over the pixels not yet learnt
loss = dict(type='HardExampleCrossEntropyLoss')
alignments = _base_.model.alignments
for alignment in alignments:
    # minutes do not make a teacher of whom much is to be learnt: a fifth of
    # the paper's weights
    for part in alignment.get('decoder', [alignment]):
        part.loss.loss_weight /= 5
model = dict(
    data_preprocessor=dict(size=(128, 256)),
    decode_head=dict(loss_decode=dict(_delete_=True, **loss)),
    auxiliary_head=dict(
        loss_decode=dict(_delete_=True, loss_weight=0.4, **loss)),
    teacher=dict(
        checkpoint='work_dirs/segformer_mit-b0_1xb12-demo_synthetic-street-'
        '128x256/iter_80.pth'),
    alignments=alignments)
train_dataloader = dict(batch_size=12)
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
train_cfg = dict(max_iters=60, val_interval=60)
default_hooks = dict(checkpoint=dict(interval=60))
