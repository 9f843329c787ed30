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
train_pipeline = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations', num_classes=19),
    dict(
        type='ApplyToClip',
        transforms=[
            dict(
                type='RandomResize',
                scale=(512, 256),
                ratio_range=(0.75, 1.5),
                keep_ratio=True),
            dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricDistortion')
        ]),
    dict(type='PackClipInputs')
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(
        type='ApplyToClip',
        transforms=[dict(type='Resize', scale=(512, 256), keep_ratio=True)]),
    # annotations are loaded after Resize: truth keeps its own size
    dict(type='LoadClipAnnotations', num_classes=19),
    dict(type='PackClipInputs')
]
snippet_pipeline = [
    dict(type='LoadClip'),
    dict(
        type='ApplyToClip',
        transforms=[dict(type='Resize', scale=(512, 256), keep_ratio=True)]),
    dict(type='LoadClipAnnotations', num_classes=19, all_frames=True),
    dict(type='PackClipInputs')
]
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
