# PASCAL-Context, its 59 classes: 4998 images to train, 5105 to validate.
_base_ = '../images.py'
dataset_type = 'PascalContextDataset59'
data_root = 'data/VOCdevkit/VOC2010/'
crop_size = (480, 480)
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.load_annotations.update(num_classes=59, reduce_zero_label=True)
train_steps.resize.scale = (520, 520)
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
test_steps.load_annotations.update(num_classes=59, reduce_zero_label=True)
test_steps.resize.scale = (520, 520)
test_pipeline = list(test_steps.values())
tta = dict(
    type='ScalesAndFlips',
    transforms=[test_steps.load_annotations, test_steps.pack])
tta_pipeline = [test_steps.load_image, test_steps.resize, tta]
images = dict(
    img_path='JPEGImages', seg_map_path='SegmentationClassContext')
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=images,
        ann_file='ImageSets/SegmentationContext/train.txt',
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=images,
        ann_file='ImageSets/SegmentationContext/val.txt',
        pipeline=test_pipeline))
test_dataloader = val_dataloader
