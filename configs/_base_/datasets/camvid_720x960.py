# CamVid as tools/dataset_converters/camvid.py writes it: 367 images to train,
# 101 to validate, 233 to test.
_base_ = '../images.py'
dataset_type = 'CamVidDataset'
data_root = 'data/camvid/'
crop_size = (720, 960)
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.load_annotations.update(num_classes=11)
train_steps.resize.scale = (960, 720)
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
test_steps.load_annotations.update(num_classes=11)
test_steps.resize.scale = (960, 720)
test_pipeline = list(test_steps.values())
tta = dict(
    type='ScalesAndFlips',
    transforms=[test_steps.load_annotations, test_steps.pack])
tta_pipeline = [test_steps.load_image, test_steps.resize, tta]
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='images/train', seg_map_path='labels/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='images/val', seg_map_path='labels/val'),
        pipeline=test_pipeline))
test_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='images/test', seg_map_path='labels/test'),
        pipeline=test_pipeline))
