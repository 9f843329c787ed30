# A large teacher for SCTNet, its weights, gradients and optimiser shared out
# over the processes (FSDP): the stock SegFormer-B5. Not a row of the paper,
# whose teacher is SegFormer-B3.
#   mim train rtseg_plugin \
#       segformer_mit-b5-fsdp_8xb1-160k_cityscapes-1024x1024.py \
#       --launcher pytorch --gpus 8
_base_ = [
    'mmseg::segformer/segformer_mit-b5_8xb1-160k_cityscapes-1024x1024.py',
    '../../_base_/plugin.py'
]
runner_type = 'FlexibleRunner'
strategy = dict(
    type='FSDPStrategy',
    # one file as of any other training, which a student's config can name;
    # mmengine's word 'full' would offload it, which on CPUs crashes PyTorch
    state_dict_cfg=dict(
        state_dict_type='FULL_STATE_DICT',
        state_dict_config=dict(type='FullStateDictConfig', rank0_only=True),
        optim_state_dict_config=dict(
            type='FullOptimStateDictConfig', rank0_only=True)),
    model_wrapper=dict(
        auto_wrap_policy=dict(
            type='wrap_named_layers', names=['TransformerEncoderLayer'])))
