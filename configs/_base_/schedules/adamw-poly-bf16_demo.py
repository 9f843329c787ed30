# The schedule of the demos for a processor with bfloat16, and for networks
# of which nothing is pre-trained: one rate for all, since ten times the rate
# of AdamW for a head harms there.
_base_ = './adamw-poly_demo.py'
optim_wrapper = dict(
    type='AmpOptimWrapper',
    dtype='bfloat16',
    optimizer=dict(lr=2e-3),
    paramwise_cfg=dict(_delete_=True, custom_keys=dict()))
