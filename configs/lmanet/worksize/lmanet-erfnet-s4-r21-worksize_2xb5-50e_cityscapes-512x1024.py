# For `mim test`: LMANet on ERFNet after its second stage, scored at 512x1024
# as in the paper (73.72 mIoU).
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
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
