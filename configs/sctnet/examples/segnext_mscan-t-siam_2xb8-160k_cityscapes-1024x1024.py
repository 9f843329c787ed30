# Table 5, SegNeXt-T + SIAM: 80.1 mIoU (alone 79.8). MMSegmentation has
# SegNeXt for ADE20K only, so the network is written out.
_base_ = './segformer_mit-b0-siam_2xb8-160k_cityscapes-1024x1024.py'
siam = _base_.siam
# the output of the head's last layer, in front of the classifier
siam.decoder.student = 'decode_head.align'
model = dict(
    backbone=dict(
        _delete_=True,
        type='MSCAN',
        embed_dims=[32, 64, 160, 256],
        mlp_ratios=[8, 8, 4, 4],
        drop_path_rate=0.1,
        depths=[3, 3, 5, 2],
        norm_cfg=dict(type='SyncBN', requires_grad=True),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmsegmentation/v0.5/'
            'pretrain/segnext/mscan_t_20230227-119e8c9f.pth')),
    decode_head=dict(
        _delete_=True,
        type='LightHamHead',
        in_channels=[64, 160, 256],
        in_index=[1, 2, 3],
        channels=256,
        ham_channels=256,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=dict(type='GN', num_groups=32, requires_grad=True),
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
        ham_kwargs=dict(
            MD_S=1,
            MD_R=16,
            train_steps=6,
            eval_steps=7,
            inv_t=100,
            rand_init=True)),
    alignments=list(siam.values()))
