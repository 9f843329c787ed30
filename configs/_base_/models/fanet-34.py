# FANet-34.
_base_ = './fanet-18.py'
model = dict(
    backbone=dict(
        depth=34,
        init_cfg=dict(
            checkpoint='https://download.pytorch.org/models/'
            'resnet34-b627a593.pth')))
