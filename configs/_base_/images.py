# What data sets of images share: the steps of the pipelines by name, the
# pipelines made of them, and the loaders. A data set fills in what is its own.
# A file that changes a step lists the pipelines anew, since mmengine copies.
train_steps = dict(
    # the host's transforms with errors that name the file
    load_image=dict(type='LoadImageFromFile', _scope_='rtseg_plugin'),
    load_annotations=dict(type='LoadAnnotations', _scope_='rtseg_plugin'),
    resize=dict(
        type='RandomResize', ratio_range=(0.5, 2.0), keep_ratio=True),
    crop=dict(type='RandomCrop', cat_max_ratio=0.75),
    flip=dict(type='RandomFlip', prob=0.5),
    color=dict(type='PhotoMetricDistortion'),
    pack=dict(type='PackSegInputs'))
test_steps = dict(
    load_image=train_steps['load_image'],
    resize=dict(type='Resize', keep_ratio=True),
    # annotations are loaded after Resize: truth keeps its own size
    load_annotations=train_steps['load_annotations'],
    pack=train_steps['pack'])
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True))
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False))
test_dataloader = val_dataloader

val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
