# For `mim test`: PSPNet-101 alone, scored at 1025x2049 as in the paper
# (76.34 mIoU).
_base_ = '../pspnet-101_4xb4-200e_cityscapes-713x713.py'
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
