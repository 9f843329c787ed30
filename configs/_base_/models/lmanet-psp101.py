# PSPNet-101 with a local memory between encoder and pyramid, S=3, R=21.
_base_ = './pspnet-101.py'
data_preprocessor = dict(type='VideoSegDataPreProcessor')
model = dict(
    type='VideoEncoderDecoder',
    data_preprocessor=data_preprocessor,
    neck=dict(
        type='LocalMemoryAttention',
        in_channels=2048,
        key_channels=128,
        value_channels=None,
        memory_size=3,
        window_size=21,
        in_index=3,
        fusion=dict(
            type='ReducedGatedFusion',
            norm_cfg=dict(type='SyncBN', eps=1e-3, requires_grad=True))))
