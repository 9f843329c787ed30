# SCTNet-B with its teacher, SegFormer-B3.
_base_ = './sctnet-s.py'
imagenet = dict(checkpoint='checkpoints/sctnet-b_imagenet.pth')
siam, bfa = _base_.siam, _base_.bfa
for places in (siam, bfa):
    places.decoder.in_channels = 256
    places.stage4.in_channels = 512
    places.stage3.in_channels = 256
model = dict(
    backbone=dict(arch='base'),
    decode_head=dict(in_channels=256, channels=256),
    auxiliary_head=dict(in_channels=128, channels=128),
    teacher=dict(
        config=dict(backbone=dict(num_layers=[3, 4, 18, 3])),
        checkpoint='checkpoints/teacher_segformer_mit-b3_cityscapes.pth'),
    alignments=list(siam.values()))
