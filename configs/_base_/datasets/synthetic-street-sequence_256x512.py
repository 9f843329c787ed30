# Clips of the street scenes that tools/dataset_converters/synthetic_street.py
# renders, in the layout and with the classes of Cityscapes sequences. For
# demos and tests.
dataset_type = 'CityscapesSequenceDataset'
data_root = 'data/synthetic_street/'
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
test_dataloader = val_dataloader

val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
