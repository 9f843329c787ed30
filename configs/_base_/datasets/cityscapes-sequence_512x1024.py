# Cityscapes clips of five frames up to the annotated one, at half size, with
# LMANet's augmentation: flip and shift, drawn once for a clip.
dataset_type = 'CityscapesSequenceDataset'
data_root = 'data/cityscapes/'
crop_size = (512, 1024)
clip_length = 5
resize = dict(type='Resize', scale=(1024, 512), backend='pillow')
train_pipeline = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations', num_classes=19),
    dict(
        type='ApplyToClip',
        transforms=[
            resize,
            dict(type='RandomFlip', prob=0.5),
            dict(type='RandomShift', max_shift=2)
        ]),
    dict(type='PackClipInputs')
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ApplyToClip', transforms=[resize]),
    # annotations are loaded after Resize: truth keeps its own size
    dict(type='LoadClipAnnotations', num_classes=19),
    dict(type='PackClipInputs')
]
train_dataloader = dict(
    batch_size=5,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        clip_length=clip_length,
        data_prefix=dict(
            img_path='leftImg8bit_sequence/train',
            seg_map_path='gtFine/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        clip_length=clip_length,
        data_prefix=dict(
            img_path='leftImg8bit_sequence/val', seg_map_path='gtFine/val'),
        pipeline=test_pipeline))
test_dataloader = val_dataloader

val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
