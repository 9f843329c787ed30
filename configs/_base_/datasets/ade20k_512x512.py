# ADE20K: 20210 images to train, 2000 to validate.
_base_ = '../images.py'
dataset_type = 'ADE20KDataset'
data_root = 'data/ade/ADEChallengeData2016'
crop_size = (512, 512)
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.load_annotations.update(num_classes=150, reduce_zero_label=True)
train_steps.resize.scale = (2048, 512)
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
test_steps.load_annotations.update(num_classes=150, reduce_zero_label=True)
test_steps.resize.scale = (2048, 512)
test_pipeline = list(test_steps.values())
tta = dict(
    type='ScalesAndFlips',
    transforms=[test_steps.load_annotations, test_steps.pack])
tta_pipeline = [test_steps.load_image, test_steps.resize, tta]
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='images/training', seg_map_path='annotations/training'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='images/validation',
            seg_map_path='annotations/validation'),
        pipeline=test_pipeline))
test_dataloader = val_dataloader
