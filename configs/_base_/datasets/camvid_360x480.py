# CamVid at half its size, as SegNet's repository has it: crops of 320x480
# from images scaled by 0.75 to 1.75. For little data: strong augmentation.
# Needs only train and val (camvid.py SRC data/camvid --splits train val).
_base_ = './camvid_720x960.py'
crop_size = (320, 480)
test_steps = _base_.test_steps
train_steps = dict(
    _delete_=True,
    **{k: v for k, v in _base_.train_steps.items() if k != 'pack'},
    pad=dict(
        type='Pad',
        size=(480, 320),  # width, height
        pad_val=dict(img=(123.675, 116.28, 103.53), seg=255)),
    # on a processor the loss costs more than the network: every second row
    # and column of the labels will do
    thin=dict(type='SubsampleLabels', stride=2),
    pack=_base_.train_steps.pack)
train_steps['resize'].update(scale=(480, 360), ratio_range=(0.75, 1.75))
train_steps['crop'].update(crop_size=crop_size)
test_steps.resize.scale = (480, 360)
train_pipeline = [v for k, v in train_steps.items() if k != '_delete_']
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
train_dataloader = dict(
    batch_size=6, num_workers=2, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=2, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(num_workers=2, dataset=dict(pipeline=test_pipeline))
