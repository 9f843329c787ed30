# Any network, its heads kept: stock MobileNetV2 with FCN heads, where guided
# attentive interpolation instead of dilation gives stride 8. No published
# result.
#   mim train rtseg_plugin \
#       gain-mobilenet-v2_fcn_4xb2-80k_cityscapes-512x1024.py
_base_ = [
    'mmseg::mobilenet_v2/mobilenet-v2-d8_fcn_4xb2-80k_cityscapes-512x1024.py',
    '../../_base_/plugin.py'
]
model = dict(
    backbone=dict(
        strides=(1, 2, 2, 2, 1, 2, 1), dilations=(1, 1, 1, 1, 1, 1, 1)),
    neck=dict(
        type='GAINeck',
        in_channels=[32, 96, 320],
        in_indices=[1, 2, 3],
        norm_cfg=dict(type='SyncBN', requires_grad=True)),
    decode_head=dict(
        input_transform='resize_concat',
        in_channels=[128, 128, 128],
        in_index=[0, 1, 2]),
    auxiliary_head=dict(in_channels=128, in_index=1))
