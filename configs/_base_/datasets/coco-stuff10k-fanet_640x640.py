# COCO-Stuff-10K as FANet trains on it, tested at 640x640.
_base_ = ['./coco-stuff10k_640x640.py', '../augmentations/fanet.py']
train_steps = _base_.train_steps
train_steps.update(_base_.augmentation)
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_steps = _base_.test_steps
test_steps.resize.update(scale=(640, 640), keep_ratio=False)
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
