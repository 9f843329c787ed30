# For `mim test`: ERFNet alone, scored at 512x1024 as in the paper (72.05).
_base_ = '../erfnet_2xb6-150e_cityscapes-512x1024.py'
# labels are loaded before Resize and so are brought to the size of the image
work_size_pipeline = [
    _base_.load_image,
    _base_.load_annotations,
    _base_.resize,
    dict(type='UseWorkSize'),
    dict(type='PackSegInputs')
]
test_dataloader = dict(dataset=dict(pipeline=work_size_pipeline))
test_evaluator = dict(type='WorkSizeIoUMetric')
