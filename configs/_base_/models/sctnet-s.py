# SCTNet-S with its teacher (SegFormer-B2), Cityscapes classes. The teacher is
# built when training starts and is not part of any checkpoint.
_base_ = ['./sctnet-s_plain.py', './siam.py']
model = dict(
    type='DistilledEncoderDecoder',
    teacher=dict(
        config=dict(
            type='EncoderDecoder',
            backbone=dict(
                type='MixVisionTransformer',
                embed_dims=64,
                num_stages=4,
                num_layers=[3, 4, 6, 3],
                num_heads=[1, 2, 5, 8],
                patch_sizes=[7, 3, 3, 3],
                sr_ratios=[8, 4, 2, 1],
                out_indices=(0, 1, 2, 3),
                mlp_ratio=4,
                qkv_bias=True),
            decode_head=dict(
                type='SegformerHead',
                in_channels=[64, 128, 320, 512],
                in_index=[0, 1, 2, 3],
                channels=256,
                dropout_ratio=0.1,
                num_classes=19,
                norm_cfg=_base_.norm_cfg,
                align_corners=False,
                loss_decode=dict(
                    type='CrossEntropyLoss',
                    use_sigmoid=False,
                    loss_weight=1.0))),
        # a SegFormer-B2 checkpoint of MMSegmentation's zoo, or what
        # sctnet2mmseg.py --keep teacher makes of an official SCTNet file
        checkpoint='checkpoints/teacher_segformer_mit-b2_cityscapes.pth'),
    alignments=list(_base_.siam.values()))
