# For `mim test`: ERFNet alone, scored at 512x1024 as in the paper (72.05
# mIoU).
_base_ = '../erfnet_2xb6-150e_cityscapes-512x1024.py'
# labels are loaded before Resize and so are brought to the size of the image
work_size_pipeline = [
    _base_.test_steps.load_image,
    _base_.test_steps.load_annotations,
    _base_.test_steps.resize,
    dict(type='UseWorkSize'),
    _base_.test_steps.pack
]
test_dataloader = dict(dataset=dict(pipeline=work_size_pipeline))
test_evaluator = dict(type='WorkSizeIoUMetric')
