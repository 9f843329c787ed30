# Any image network becomes a video network: a stock SegFormer with a memory on
# its features at 1/8. Two lines of the model change, its type and its neck;
# the rest is data, and what a two-stage training needs. No published result.
#   mim train rtseg_plugin \
#       segformer_mit-b0-lma_stage1_2xb4-50e_cityscapes-512x1024.py \
#       --gpus 2 --launcher pytorch
_base_ = [
    'mmseg::_base_/models/segformer_mit-b0.py',
    '../../_base_/datasets/cityscapes-sequence_512x1024.py',
    '../../_base_/default_runtime.py',
    '../../_base_/schedules/adam-plateau_50e.py'
]
log_processor = dict(by_epoch=True)
model = dict(
    type='VideoEncoderDecoder',
    neck=dict(
        type='LocalMemoryAttention',
        in_channels=64,
        in_index=1,
        value_channels=32),
    data_preprocessor=dict(
        type='VideoSegDataPreProcessor', size=(512, 1024)))
train_dataloader = dict(batch_size=4)
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='FreezeHook', prefixes=['backbone', 'decode_head'])
]
load_from = 'checkpoints/segformer_mit-b0_cityscapes.pth'
