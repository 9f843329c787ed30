# GAIN-R18 from scratch: what to start from with data of one's own. No
# published result.
#   mim train rtseg_plugin gain-r18-plain_2xb8-80k_cityscapes-1024x1024.py \
#       --launcher pytorch --gpus 2
_base_ = './gain-r18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(backbone=dict(init_cfg=None))
