# ERFNet on 2000 scenes and in bfloat16: the start of the video network that
# the package holds.
#   python tools/dataset_converters/synthetic_street.py \
#       data/synthetic_street --train 2000 --val 80
#   mim train rtseg_plugin erfnet_1xb8-1k_synthetic-street-128x256.py
_base_ = './erfnet_1xb8-demo_synthetic-street-128x256.py'
optim_wrapper = dict(
    type='AmpOptimWrapper',
    dtype='bfloat16',
    optimizer=dict(lr=2e-3),
    # ten times the rate for a head harms where all starts at random
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=1.))))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
