# SCTNet-B without a teacher.
_base_ = './sctnet-s_plain.py'
imagenet = dict(checkpoint='checkpoints/sctnet-b_imagenet.pth')
model = dict(
    backbone=dict(arch='base'),
    decode_head=dict(in_channels=256, channels=256),
    auxiliary_head=dict(in_channels=128, channels=128))
