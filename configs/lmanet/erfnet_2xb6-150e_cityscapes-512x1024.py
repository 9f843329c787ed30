# ERFNet alone, the single frame that LMANet is compared with (Table I, S=0):
# 72.05 at work size on Cityscapes val at 512x1024. The authors start from the
# public ERFNet checkpoint, which lmanet2mmseg.py converts for this config.
#   mim train rtseg_plugin erfnet_2xb6-150e_cityscapes-512x1024.py \
#       --gpus 2 --launcher pytorch
_base_ = [
    '../_base_/models/erfnet.py',
    '../_base_/datasets/cityscapes-lmanet_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adam-poly_150e.py'
]
log_processor = dict(by_epoch=True)
train_dataloader = dict(batch_size=6)
