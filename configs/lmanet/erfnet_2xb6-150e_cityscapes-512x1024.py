# ERFNet alone, the single frame that LMANet is compared with (Table I, S=0):
# 72.05 mIoU on Cityscapes val at 512x1024. The authors start from the public
# ERFNet checkpoint, which lmanet2mmseg.py converts for this config.
#   mim train rtseg_plugin erfnet_2xb6-150e_cityscapes-512x1024.py \
#       --gpus 2 --launcher pytorch
_base_ = [
    '../_base_/models/erfnet.py', '../_base_/datasets/cityscapes_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adam-poly_150e.py'
]
log_processor = dict(by_epoch=True)
resize = dict(type='Resize', scale=(1024, 512), backend='pillow')
train_pipeline = _base_.train_pipeline[:2] + [
    resize,
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomShift', max_shift=2),
    dict(type='RelabelPixels', old=255, new=19),
    dict(type='PackSegInputs')
]
test_pipeline = [
    _base_.load_image,
    resize,
    # annotations are loaded after Resize: truth keeps its own size
    _base_.load_annotations,
    dict(type='PackSegInputs')
]
train_dataloader = dict(
    batch_size=6,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
