# ERFNet as LMANet's baseline: 19 classes of Cityscapes and index 19, a map
# that is never a target but takes part in softmax and argmax, as in the
# official checkpoints. Labels of 255 become 19 in the training pipeline
# (RelabelPixels), since class weights are looked up by label.
norm_cfg = dict(type='SyncBN', eps=1e-3, requires_grad=True)
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[0., 0., 0.],
    std=[255., 255., 255.],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=19,
    size=(512, 1024))
# 1 / ln(1.10 + frequency of the class)
class_weight = [
    2.8149201869965, 6.9850029945374, 3.7890393733978, 9.9428062438965,
    9.7702074050903, 9.5110931396484, 10.311357498169, 10.026463508606,
    4.6323022842407, 9.5608062744141, 7.8698215484619, 9.5168733596802,
    10.373730659485, 6.6616044044495, 10.260489463806, 10.287888526917,
    10.289801597595, 10.405355453491, 10.138095855713, 0.
]
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    backbone=dict(type='ERFNetEncoder', norm_cfg=norm_cfg),
    decode_head=dict(
        type='ERFNetHead',
        in_channels=128,
        channels=16,
        num_classes=20,
        ignore_index=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(
            type='CrossEntropyLoss',
            use_sigmoid=False,
            class_weight=class_weight,
            loss_weight=1.0)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
