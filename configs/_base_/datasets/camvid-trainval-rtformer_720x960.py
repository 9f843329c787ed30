# CamVid as the RTFormer paper describes it.
_base_ = ['./camvid-trainval_720x960.py', '../augmentations/rtformer.py']
crop_size = (720, 960)
train_steps = dict(
    load_image=_base_.train_steps.load_image,
    load_annotations=_base_.train_steps.load_annotations,
    **_base_.augmentation,
    pack=_base_.train_steps.pack)
# the short side, 720 in CamVid, becomes 288 to 1152
train_steps['resize'] = dict(
    type='RandomResize',
    scale=(960, 720),
    ratio_range=(0.4, 1.6),
    keep_ratio=True)
train_steps['pad'].size = crop_size[::-1]
train_steps['crop'].crop_size = crop_size
train_pipeline = list(train_steps.values())
train_steps.update(_delete_=True)  # none of the data set's own
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
