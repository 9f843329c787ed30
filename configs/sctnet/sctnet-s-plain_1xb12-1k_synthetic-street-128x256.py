# SCTNet-S on the synthetic streets without a teacher, first stage: small
# crops, and a rate that stays.
#   python tools/dataset_converters/synthetic_street.py \
#       data/synthetic_street --train 2000 --val 80
#   mim train rtseg_plugin \
#       sctnet-s-plain_1xb12-1k_synthetic-street-128x256.py
_base_ = [
    '../_base_/models/sctnet-s_plain.py',
    '../_base_/datasets/synthetic-street-cpu_128x256.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-bf16_demo.py'
]
norm_cfg = dict(type='BN', requires_grad=True)
# rare classes are hard ones: the mean is over the pixels not yet learnt
loss = dict(type='HardExampleCrossEntropyLoss')
model = dict(
    data_preprocessor=dict(size=(128, 256)),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(
        norm_cfg=norm_cfg, loss_decode=dict(_delete_=True, **loss)),
    auxiliary_head=dict(
        norm_cfg=norm_cfg,
        loss_decode=dict(_delete_=True, loss_weight=0.4, **loss)))
train_dataloader = dict(batch_size=12)
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
param_scheduler = [_base_.warm_up]
train_cfg = dict(max_iters=1200, val_interval=400)
default_hooks = dict(logger=dict(interval=50), checkpoint=dict(interval=200))
