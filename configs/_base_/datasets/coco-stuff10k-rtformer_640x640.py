# COCO-Stuff-10K as the RTFormer paper describes it.
_base_ = ['./coco-stuff10k_640x640.py', '../augmentations/rtformer.py']
crop_size = (640, 640)
train_steps = dict(
    load_image=_base_.train_steps.load_image,
    load_annotations=_base_.train_steps.load_annotations,
    # no bound on the long side
    shorten=dict(type='ResizeShortestEdge', scale=640, max_size=65536),
    **_base_.augmentation,
    pack=_base_.train_steps.pack)
train_steps['pad'].size = crop_size[::-1]
train_steps['crop'].crop_size = crop_size
train_pipeline = list(train_steps.values())
train_steps.update(_delete_=True)  # none of the data set's own
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_steps = _base_.test_steps
test_steps.resize.update(scale=(640, 640), keep_ratio=False)
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
