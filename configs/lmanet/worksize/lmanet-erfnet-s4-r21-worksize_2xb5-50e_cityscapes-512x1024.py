# For `mim test`: LMANet on ERFNet after its second stage, scored at 512x1024
# as in the paper (73.72).
_base_ = '../lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py'
# labels are loaded before Resize and so are brought to the size of the clip
work_size_pipeline = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations', num_classes=19),
    dict(type='ApplyToClip', transforms=[_base_.resize]),
    dict(type='UseWorkSize'),
    dict(type='PackClipInputs')
]
test_dataloader = dict(dataset=dict(pipeline=work_size_pipeline))
test_evaluator = dict(type='WorkSizeIoUMetric')
