# ADE20K with the augmentation and the test size of the official RTFormer.
_base_ = ['./ade20k_512x512.py', '../augmentations/rtformer.py']
crop_size = (512, 512)
train_steps = dict(
    load_image=_base_.train_steps.load_image,
    load_annotations=_base_.train_steps.load_annotations,
    **_base_.augmentation,
    pack=_base_.train_steps.pack)
train_steps['pad'].size = crop_size[::-1]
train_steps['crop'].crop_size = crop_size
train_pipeline = list(train_steps.values())
train_steps.update(_delete_=True)  # none of the data set's own
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
# the sides are rounded up to multiples of 32
test_steps = dict(
    load_image=_base_.test_steps.load_image,
    resize=_base_.test_steps.resize,
    round=dict(type='ResizeToMultiple', size_divisor=32),
    load_annotations=_base_.test_steps.load_annotations,
    pack=_base_.test_steps.pack)
test_pipeline = list(test_steps.values())
tta_pipeline = [
    test_steps['load_image'], test_steps['resize'], test_steps['round'],
    _base_.tta
]
test_steps.update(_delete_=True)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
