# RTFormer-Base as in both official configs.
_base_ = './rtformer-slim.py'
imagenet = [
    _base_.init_cfg,
    dict(
        type='Pretrained',
        checkpoint='checkpoints/rtformer-base_imagenet.pth',
        prefix='backbone.')
]
model = dict(
    backbone=dict(arch='base', inject=(True, False)),
    decode_head=dict(in_channels=256, channels=256),
    auxiliary_head=dict(in_channels=128, channels=128))
