# For `mim test`: LMANet on PSPNet-101 after its second stage, scored at
# 1025x2049 as in the paper (78.48).
_base_ = '../lmanet-psp101-s3-r21_stage2_6xb1-50e_cityscapes-1025x2049.py'
# labels are loaded before Resize and so are brought to the size of the clip
work_size_pipeline = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations', num_classes=19),
    dict(
        type='ApplyToClip',
        transforms=[
            dict(type='Resize', scale=(2049, 1025), backend='pillow')
        ]),
    dict(type='UseWorkSize'),
    dict(type='PackClipInputs')
]
test_dataloader = dict(dataset=dict(pipeline=work_size_pipeline))
test_evaluator = dict(type='WorkSizeIoUMetric')
