# ERFNet with a local memory between encoder and decoder, S=4, R=21.
_base_ = './erfnet.py'
data_preprocessor = dict(type='VideoSegDataPreProcessor')
model = dict(
    type='VideoEncoderDecoder',
    data_preprocessor=data_preprocessor,
    neck=dict(
        type='LocalMemoryAttention',
        in_channels=128,
        key_channels=16,
        value_channels=64,
        memory_size=4,
        window_size=21,
        fusion=dict(type='GatedFusion', norm_cfg=_base_.norm_cfg)))
