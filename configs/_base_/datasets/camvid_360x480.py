# CamVid at half its size, as SegNet's repository has it: crops of 320x480
# from images scaled by 0.75 to 1.75. For little data: strong augmentation.
# Needs only train and val (camvid.py SRC data/camvid --splits train val).
_base_ = './camvid_720x960.py'
crop_size = (320, 480)
# 1 / log(1.02 + share of the training pixels), as ENet weighs; 1 in the mean
# over the pixels
camvid_class_weight = [
    0.799, 0.613, 4.789, 0.477, 2.21, 1.247, 4.5, 4.567, 1.83, 5.423, 6.265
]
# finds nearly as much of the rare classes and gives them less of the others
class_weight_root = [round(x**0.5, 3) for x in camvid_class_weight]
# rare classes are hard ones
hard_pixels = dict(
    type='HardExampleCrossEntropyLoss',
    min_kept_ratio=0.25,
    class_weight=class_weight_root)
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
