# Cityscapes clips of five frames up to the annotated one, at half size, with
# LMANet's augmentation, drawn once for a clip.
_base_ = '../augmentations/lmanet.py'
dataset_type = 'CityscapesSequenceDataset'
data_root = 'data/cityscapes/'
crop_size = (512, 1024)
clip_length = 5
train_steps = dict(
    load_clip=dict(type='LoadClip'),
    load_annotations=dict(type='LoadClipAnnotations', num_classes=19),
    augment=dict(
        type='ApplyToClip', transforms=list(_base_.flip_and_shift.values())),
    pack=dict(type='PackClipInputs'))
train_pipeline = list(train_steps.values())
test_steps = dict(
    load_clip=train_steps['load_clip'],
    resize=dict(
        type='ApplyToClip', transforms=[_base_.flip_and_shift.resize]),
    # annotations are loaded after Resize: truth keeps its own size
    load_annotations=train_steps['load_annotations'],
    pack=train_steps['pack'])
test_pipeline = list(test_steps.values())
tta = dict(
    type='ScalesAndFlips',
    transforms=[test_steps['load_annotations'], test_steps['pack']],
    clip=True)
tta_pipeline = [test_steps['load_clip'], test_steps['resize'], tta]
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
