# COCO-Stuff-10K: 9000 images to train, 1000 to test; its 171 annotated
# classes.
_base_ = '../images.py'
dataset_type = 'COCOStuffDataset'
data_root = 'data/coco_stuff10k'
crop_size = (640, 640)
train_steps, test_steps = _base_.train_steps, _base_.test_steps
train_steps.load_annotations.update(num_classes=171, reduce_zero_label=True)
train_steps.resize.scale = (2560, 640)
train_steps.crop.crop_size = crop_size
train_pipeline = list(train_steps.values())
test_steps.load_annotations.update(num_classes=171, reduce_zero_label=True)
test_steps.resize.scale = (2560, 640)
test_pipeline = list(test_steps.values())
tta = dict(
    type='ScalesAndFlips',
    transforms=[test_steps.load_annotations, test_steps.pack])
tta_pipeline = [test_steps.load_image, test_steps.resize, tta]
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        reduce_zero_label=True,
        data_prefix=dict(
            img_path='images/train2014', seg_map_path='annotations/train2014'),
        pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        reduce_zero_label=True,
        data_prefix=dict(
            img_path='images/test2014', seg_map_path='annotations/test2014'),
        pipeline=test_pipeline))
test_dataloader = val_dataloader
