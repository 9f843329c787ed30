# SCTNet-S with the small teacher of segformer-b0.py, for one processor. The
# checkpoint is the recipe's to name.
_base_ = './sctnet-s.py'
norm_cfg = dict(type='BN', requires_grad=True)
siam, bfa = _base_.siam, _base_.bfa
siam.decoder.out_channels = 512
bfa.decoder.out_channels = 128
siam.stage4.out_channels = bfa.stage4.out_channels = 256
siam.stage3.out_channels = bfa.stage3.out_channels = 160
model = dict(
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=dict(norm_cfg=norm_cfg),
    teacher=dict(
        config=dict(
            backbone=dict(embed_dims=32, num_layers=[2, 2, 2, 2]),
            decode_head=dict(
                in_channels=[32, 64, 160, 256],
                channels=128,
                norm_cfg=norm_cfg))),
    alignments=list(siam.values()))
