# For `mim test`: LMANet on PSPNet-101 after its second stage, scored at
# 1025x2049 as in the paper (78.48 mIoU).
_base_ = '../lmanet-psp101-s3-r21_stage2_6xb1-50e_cityscapes-1025x2049.py'
# labels are loaded before Resize and so are brought to the size of the clip
work_size_pipeline = [
    _base_.test_steps.load_clip,
    _base_.test_steps.load_annotations,
    _base_.test_steps.resize,
    dict(type='UseWorkSize'),
    _base_.test_steps.pack
]
test_dataloader = dict(dataset=dict(pipeline=work_size_pipeline))
test_evaluator = dict(type='WorkSizeIoUMetric')
