# Street scenes that tools/dataset_converters/synthetic_street.py renders, in
# the layout and with the classes of Cityscapes. For demos and tests.
_base_ = '../images.py'
dataset_type = 'CityscapesDataset'
data_root = 'data/synthetic_street/'
crop_size = (256, 512)
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.load_annotations.num_classes = 19
train_steps.resize.update(scale=(512, 256), ratio_range=(0.75, 1.5))
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
test_steps.load_annotations.num_classes = 19
test_steps.resize.scale = (512, 256)
test_pipeline = list(test_steps.values())
tta = dict(
    type='ScalesAndFlips',
    transforms=[test_steps.load_annotations, test_steps.pack],
    ratios=(0.75, 1.0, 1.25))
tta_pipeline = [test_steps.load_image, test_steps.resize, tta]
train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=2,
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        pipeline=test_pipeline))
test_dataloader = val_dataloader
