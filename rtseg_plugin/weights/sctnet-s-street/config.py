crop_size = (
    256,
    512,
)
custom_imports = dict(
    allow_failed_imports=False, imports=[
        'rtseg_plugin',
    ])
data_preprocessor = dict(
    bgr_to_rgb=True,
    mean=[
        123.675,
        116.28,
        103.53,
    ],
    pad_val=0,
    seg_pad_val=255,
    size=(
        512,
        1024,
    ),
    std=[
        58.395,
        57.12,
        57.375,
    ],
    type='SegDataPreProcessor')
data_root = 'data/synthetic_street/'
dataset_type = 'CityscapesDataset'
decay = dict(begin=0, by_epoch=False, eta_min=1e-06, power=1.0, type='PolyLR')
default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False, type='LoggerHook'),
    timer=dict(type='IterTimerHook'))
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
imagenet = dict(
    checkpoint='checkpoints/sctnet-s_imagenet.pth',
    prefix='backbone.',
    type='Pretrained')
log_level = 'INFO'
log_processor = dict(by_epoch=False)
loss = dict(_delete_=True, type='HardExampleCrossEntropyLoss')
model = dict(
    backbone=dict(
        arch='small',
        norm_cfg=dict(requires_grad=True, type='BN'),
        type='SCTNet'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            123.675,
            116.28,
            103.53,
        ],
        pad_val=0,
        seg_pad_val=255,
        size=(
            256,
            512,
        ),
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='SegDataPreProcessor'),
    decode_head=dict(
        align_corners=False,
        channels=128,
        in_channels=128,
        in_index=0,
        loss_decode=dict(type='HardExampleCrossEntropyLoss'),
        norm_cfg=dict(requires_grad=True, type='BN'),
        num_classes=19,
        type='SCTHead'),
    test_cfg=dict(mode='whole'),
    type='EncoderDecoder')
norm_cfg = dict(requires_grad=True, type='BN')
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=1,
    dataset=dict(
        data_prefix=dict(
            img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        data_root='data/synthetic_street/',
        pipeline=[
            dict(_scope_='rtseg_plugin', type='LoadImageFromFile'),
            dict(keep_ratio=True, scale=(
                512,
                256,
            ), type='Resize'),
            dict(
                _scope_='rtseg_plugin', num_classes=19,
                type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
        type='CityscapesDataset'),
    num_workers=2,
    persistent_workers=True,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = dict(
    iou_metrics=[
        'mIoU',
    ], type='IoUMetric')
test_pipeline = [
    dict(_scope_='rtseg_plugin', type='LoadImageFromFile'),
    dict(keep_ratio=True, scale=(
        512,
        256,
    ), type='Resize'),
    dict(_scope_='rtseg_plugin', num_classes=19, type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
test_steps = dict(
    load_annotations=dict(
        _scope_='rtseg_plugin', num_classes=19, type='LoadAnnotations'),
    load_image=dict(_scope_='rtseg_plugin', type='LoadImageFromFile'),
    pack=dict(type='PackSegInputs'),
    resize=dict(keep_ratio=True, scale=(
        512,
        256,
    ), type='Resize'))
train_steps = dict(
    color=dict(type='PhotoMetricDistortion'),
    crop=dict(cat_max_ratio=0.75, crop_size=(
        256,
        512,
    ), type='RandomCrop'),
    flip=dict(prob=0.5, type='RandomFlip'),
    load_annotations=dict(
        _scope_='rtseg_plugin', num_classes=19, type='LoadAnnotations'),
    load_image=dict(_scope_='rtseg_plugin', type='LoadImageFromFile'),
    pack=dict(type='PackSegInputs'),
    pad=dict(
        pad_val=dict(img=(
            123.675,
            116.28,
            103.53,
        ), seg=255),
        size=(
            512,
            256,
        ),
        type='Pad'),
    resize=dict(
        keep_ratio=True,
        ratio_range=(
            0.75,
            1.25,
        ),
        scale=(
            512,
            256,
        ),
        type='RandomResize'),
    thin=dict(stride=2, type='SubsampleLabels'))
tta = dict(
    ratios=(
        0.75,
        1.0,
        1.25,
    ),
    transforms=[
        dict(_scope_='rtseg_plugin', num_classes=19, type='LoadAnnotations'),
        dict(type='PackSegInputs'),
    ],
    type='ScalesAndFlips')
tta_model = dict(type='SegTTAModel')
tta_pipeline = [
    dict(_scope_='rtseg_plugin', type='LoadImageFromFile'),
    dict(keep_ratio=True, scale=(
        512,
        256,
    ), type='Resize'),
    dict(
        ratios=(
            0.75,
            1.0,
            1.25,
        ),
        transforms=[
            dict(
                _scope_='rtseg_plugin', num_classes=19,
                type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
        type='ScalesAndFlips'),
]
vis_backends = [
    dict(type='LocalVisBackend'),
]
visualizer = dict(
    name='visualizer',
    type='SegLocalVisualizer',
    vis_backends=[
        dict(type='LocalVisBackend'),
    ])
warm_up = dict(
    begin=0, by_epoch=False, end=30, start_factor=1e-06, type='LinearLR')
