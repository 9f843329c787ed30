# Cityscapes: 2975 images to train, 500 to validate.
_base_ = '../images.py'
dataset_type = 'CityscapesDataset'
data_root = 'data/cityscapes/'
crop_size = (512, 1024)
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.load_annotations.update(num_classes=19)
train_steps.resize.scale = (2048, 1024)
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
test_steps.load_annotations.update(num_classes=19)
test_steps.resize.scale = (2048, 1024)
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
            img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        pipeline=test_pipeline))
test_dataloader = val_dataloader
