# FANet-18+Temp of Table VI, t=2: 75.5 mIoU on Cityscapes val, the image
# network 75.0. Finetuned from it; the article leaves its own way open, see the
# README.
#   mim train rtseg_plugin fanet-18-t2_2xb8-20k_cityscapes-1024x1024.py \
#       --launcher pytorch --gpus 2
_base_ = [
    '../_base_/models/fanet-18.py',
    '../_base_/datasets/cityscapes-sequence-fanet_1024x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/sgd-poly_20k.py'
]
model = dict(
    type='VideoEncoderDecoder',
    data_preprocessor=dict(type='VideoSegDataPreProcessor'),
    neck=dict(type='TemporalFastAttentionNeck', num_frames=2))
optim_wrapper = dict(optimizer=dict(lr=1e-3))
load_from = 'checkpoints/fanet-18_2xb8-80k_cityscapes-1024x1024.pth'
