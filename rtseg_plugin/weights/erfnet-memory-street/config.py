class_weight = [
    2.8149201869965,
    6.9850029945374,
    3.7890393733978,
    9.9428062438965,
    9.7702074050903,
    9.5110931396484,
    10.311357498169,
    10.026463508606,
    4.6323022842407,
    9.5608062744141,
    7.8698215484619,
    9.5168733596802,
    10.373730659485,
    6.6616044044495,
    10.260489463806,
    10.287888526917,
    10.289801597595,
    10.405355453491,
    10.138095855713,
    0.0,
]
clip_length = 5
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
        0.0,
        0.0,
        0.0,
    ],
    pad_val=0,
    seg_pad_val=19,
    size=(
        512,
        1024,
    ),
    std=[
        255.0,
        255.0,
        255.0,
    ],
    type='VideoSegDataPreProcessor')
data_root = 'data/synthetic_street_video/'
dataset_type = 'CityscapesSequenceDataset'
decay = dict(begin=0, by_epoch=False, eta_min=1e-06, power=1.0, type='PolyLR')
default_hooks = dict(
    logger=dict(interval=10, log_metric_by_epoch=False, type='LoggerHook'),
    timer=dict(type='IterTimerHook'))
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    dist_cfg=dict(backend='nccl'),
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0))
frame_steps = dict(
    color=dict(type='PhotoMetricDistortion'),
    crop=dict(cat_max_ratio=0.75, crop_size=(
        256,
        512,
    ), type='RandomCrop'),
    flip=dict(prob=0.5, type='RandomFlip'),
    resize=dict(
        keep_ratio=True,
        ratio_range=(
            0.75,
            1.5,
        ),
        scale=(
            512,
            256,
        ),
        type='RandomResize'))
frozen = dict(
    eval_mode=True, prefixes=[
        'backbone',
        'decode_head',
    ], type='FreezeHook')
label_pattern = '(?P<video>.+)_(?P<frame>000019)'
log_level = 'INFO'
log_processor = dict(by_epoch=False)
model = dict(
    backbone=dict(
        dropout_ratios=(
            0.0,
            0.0,
        ),
        norm_cfg=dict(eps=0.001, requires_grad=True, type='BN'),
        type='ERFNetEncoder'),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            0.0,
            0.0,
            0.0,
        ],
        pad_val=0,
        seg_pad_val=19,
        size=(
            256,
            512,
        ),
        std=[
            255.0,
            255.0,
            255.0,
        ],
        type='VideoSegDataPreProcessor'),
    decode_all=True,
    decode_head=dict(
        align_corners=False,
        channels=16,
        ignore_index=19,
        in_channels=128,
        loss_decode=dict(
            class_weight=[
                2.8149201869965,
                6.9850029945374,
                3.7890393733978,
                9.9428062438965,
                9.7702074050903,
                9.5110931396484,
                10.311357498169,
                10.026463508606,
                4.6323022842407,
                9.5608062744141,
                7.8698215484619,
                9.5168733596802,
                10.373730659485,
                6.6616044044495,
                10.260489463806,
                10.287888526917,
                10.289801597595,
                10.405355453491,
                10.138095855713,
                0.0,
            ],
            loss_weight=1.0,
            type='CrossEntropyLoss',
            use_sigmoid=False),
        norm_cfg=dict(eps=0.001, requires_grad=True, type='BN'),
        num_classes=20,
        type='ERFNetHead'),
    neck=dict(
        fusion=dict(first_gate=0.3, type='BlendFusion'),
        in_channels=128,
        key_channels=16,
        memory_size=4,
        type='LocalMemoryAttention',
        value_channels=None,
        window_size=21),
    test_cfg=dict(mode='whole'),
    type='VideoEncoderDecoder')
norm_cfg = dict(eps=0.001, requires_grad=True, type='BN')
pack = dict(type='PackClipInputs')
plugin_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='RandomStateHook'),
    dict(type='FiniteLossHook'),
    dict(type='FlushDenormalsHook'),
    dict(type='DataCheckHook'),
    dict(type='TeacherScoreHook'),
]
resize = dict(
    keep_ratio=True, scale=(
        512,
        256,
    ), type='Resize')
snippet_pipeline = [
    dict(type='LoadClip'),
    dict(
        transforms=[
            dict(keep_ratio=True, scale=(
                512,
                256,
            ), type='Resize'),
        ],
        type='ApplyToClip'),
    dict(all_frames=True, num_classes=19, type='LoadClipAnnotations'),
    dict(type='PackClipInputs'),
]
snippet_steps = dict(
    load_annotations=dict(
        all_frames=True, num_classes=19, type='LoadClipAnnotations'),
    load_clip=dict(type='LoadClip'),
    pack=dict(type='PackClipInputs'),
    resize=dict(
        transforms=[
            dict(keep_ratio=True, scale=(
                512,
                256,
            ), type='Resize'),
        ],
        type='ApplyToClip'))
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=1,
    dataset=dict(
        clip_length=None,
        data_prefix=dict(
            img_path='leftImg8bit_sequence/val', seg_map_path='gtFine/val'),
        data_root='data/synthetic_street_video/',
        pipeline=[
            dict(type='LoadClip'),
            dict(
                transforms=[
                    dict(keep_ratio=True, scale=(
                        512,
                        256,
                    ), type='Resize'),
                ],
                type='ApplyToClip'),
            dict(all_frames=True, num_classes=19, type='LoadClipAnnotations'),
            dict(type='PackClipInputs'),
        ],
        type='CityscapesSequenceDataset'),
    num_workers=2,
    persistent_workers=True,
    sampler=dict(shuffle=False, type='DefaultSampler'))
test_evaluator = [
    dict(iou_metrics=[
        'mIoU',
    ], type='ClipIoUMetric'),
    dict(
        flow=dict(
            img_root='data/synthetic_street_video/leftImg8bit_sequence/val',
            name='rendered',
            root='data/synthetic_street_video/flow/val',
            type='FloFiles'),
        type='TemporalConsistency'),
    dict(type='VideoConsistency'),
    dict(type='StrictVideoConsistency'),
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(
        transforms=[
            dict(keep_ratio=True, scale=(
                512,
                256,
            ), type='Resize'),
        ],
        type='ApplyToClip'),
    dict(num_classes=19, type='LoadClipAnnotations'),
    dict(type='PackClipInputs'),
]
test_steps = dict(
    load_annotations=dict(num_classes=19, type='LoadClipAnnotations'),
    load_clip=dict(type='LoadClip'),
    pack=dict(type='PackClipInputs'),
    resize=dict(
        transforms=[
            dict(keep_ratio=True, scale=(
                512,
                256,
            ), type='Resize'),
        ],
        type='ApplyToClip'))
train_steps = dict(
    augment=dict(
        transforms=[
            dict(
                keep_ratio=True,
                ratio_range=(
                    0.75,
                    1.5,
                ),
                scale=(
                    512,
                    256,
                ),
                type='RandomResize'),
            dict(
                cat_max_ratio=0.75, crop_size=(
                    256,
                    512,
                ), type='RandomCrop'),
            dict(prob=0.5, type='RandomFlip'),
            dict(type='PhotoMetricDistortion'),
        ],
        type='ApplyToClip'),
    load_annotations=dict(num_classes=19, type='LoadClipAnnotations'),
    load_clip=dict(type='LoadClip'),
    pack=dict(type='PackClipInputs'),
    relabel=dict(new=19, old=255, type='RelabelPixels'))
tta_model = dict(type='SegTTAModel')
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
