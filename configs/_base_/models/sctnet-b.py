# SCTNet-B with its teacher, SegFormer-B3.
_base_ = './sctnet-s.py'
alignments = _base_.model.alignments
for alignment, channels in zip(alignments, (256, 512, 256)):
    alignment.in_channels = channels
model = dict(
    backbone=dict(arch='base'),
    decode_head=dict(in_channels=256, channels=256),
    auxiliary_head=dict(in_channels=128, channels=128),
    teacher=dict(
        config=dict(backbone=dict(num_layers=[3, 4, 18, 3])),
        checkpoint='checkpoints/teacher_segformer_mit-b3_cityscapes.pth'),
    alignments=alignments)
