# LMANet on ERFNet, first stage: key, value and fusion layers learn, encoder
# and decoder do not. The second stage gives Table I, S=4 R=21: 73.72 at work
# size on Cityscapes val at 512x1024, the single frame 72.05. load_from: what
# erfnet_2xb6-150e_cityscapes-512x1024.py trained, or the public ERFNet
# checkpoint after lmanet2mmseg.py.
#   mim train rtseg_plugin \
#       lmanet-erfnet-s4-r21_stage1_2xb5-50e_cityscapes-512x1024.py \
#       --gpus 2 --launcher pytorch
_base_ = [
    '../_base_/models/lmanet-erfnet.py',
    '../_base_/datasets/cityscapes-sequence-lmanet_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adam-plateau_50e.py'
]
log_processor = dict(by_epoch=True)
# eval_mode=True would also keep running statistics and dropout still; in the
# official code they live on by default.
frozen = dict(
    type='FreezeHook',
    prefixes=['backbone', 'decode_head'],
    eval_mode=False)
custom_hooks = [*_base_.plugin_hooks, frozen]
load_from = 'checkpoints/erfnet_cityscapes.pth'
