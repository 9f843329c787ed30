# Clips of the street scenes that tools/dataset_converters/synthetic_street.py
# renders, in the layout and with the classes of Cityscapes sequences. For
# demos and tests. Trained and validated on the annotated frames; tested on all
# frames of the snippets, one stream each, which needs their labels and flow
# (synthetic_street.py data/synthetic_street_video --dense --frames 20) and a
# model that decodes every frame (decode_all=True).
dataset_type = 'CityscapesSequenceDataset'
data_root = 'data/synthetic_street_video/'
crop_size = (256, 512)
clip_length = 5
# the annotated frame; in a set rendered with --dense all others have labels
# too, and label_pattern=None makes clips of them
label_pattern = r'(?P<video>.+)_(?P<frame>000019)'
frame_steps = dict(  # drawn once for a clip
    resize=dict(
        type='RandomResize',
        scale=(512, 256),
        ratio_range=(0.75, 1.5),
        keep_ratio=True),
    crop=dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    flip=dict(type='RandomFlip', prob=0.5),
    color=dict(type='PhotoMetricDistortion'))
train_steps = dict(
    load_clip=dict(type='LoadClip'),
    load_annotations=dict(type='LoadClipAnnotations', num_classes=19),
    augment=dict(type='ApplyToClip', transforms=list(frame_steps.values())),
    pack=dict(type='PackClipInputs'))
train_pipeline = list(train_steps.values())
resize = dict(type='Resize', scale=(512, 256), keep_ratio=True)
test_steps = dict(
    load_clip=train_steps['load_clip'],
    resize=dict(type='ApplyToClip', transforms=[resize]),
    # annotations are loaded after Resize: truth keeps its own size
    load_annotations=train_steps['load_annotations'],
    pack=train_steps['pack'])
test_pipeline = list(test_steps.values())
snippet_steps = dict(
    test_steps,
    load_annotations=dict(
        type='LoadClipAnnotations', num_classes=19, all_frames=True))
snippet_pipeline = list(snippet_steps.values())
train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        clip_length=clip_length,
        label_pattern=label_pattern,
        data_prefix=dict(
            img_path='leftImg8bit_sequence/train',
            seg_map_path='gtFine/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        clip_length=clip_length,
        label_pattern=label_pattern,
        data_prefix=dict(
            img_path='leftImg8bit_sequence/val', seg_map_path='gtFine/val'),
        pipeline=test_pipeline))
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        clip_length=None,
        data_prefix=dict(
            img_path='leftImg8bit_sequence/val', seg_map_path='gtFine/val'),
        pipeline=snippet_pipeline))

val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = [
    dict(type='ClipIoUMetric', iou_metrics=['mIoU']),
    dict(
        type='TemporalConsistency',
        flow=dict(
            type='FloFiles',
            root=f'{data_root}flow/val',
            img_root=f'{data_root}leftImg8bit_sequence/val',
            name='rendered')),
    dict(type='VideoConsistency'),
    dict(type='StrictVideoConsistency')
]
