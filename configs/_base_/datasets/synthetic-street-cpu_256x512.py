# The street scenes for training on a processor: the loss on every second row
# and column of the labels, which a feature of stride 8 does not miss. Images
# are padded before, since their labels are no longer of their size.
_base_ = './synthetic-street_256x512.py'
train_steps = dict(
    _delete_=True,
    **{k: v for k, v in _base_.train_steps.items() if k != 'pack'},
    pad=dict(
        type='Pad',
        size=(512, 256),  # width, height
        pad_val=dict(img=(123.675, 116.28, 103.53), seg=255)),
    thin=dict(type='SubsampleLabels', stride=2),
    pack=_base_.train_steps.pack)
train_pipeline = [v for k, v in train_steps.items() if k != '_delete_']
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
