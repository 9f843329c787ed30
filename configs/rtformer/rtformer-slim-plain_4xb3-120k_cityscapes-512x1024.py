# RTFormer-Slim from scratch: what to start from with data of one's own. No
# published result.
#   mim train rtseg_plugin \
#       rtformer-slim-plain_4xb3-120k_cityscapes-512x1024.py \
#       --launcher pytorch --gpus 4
_base_ = './rtformer-slim_4xb3-120k_cityscapes-512x1024.py'
model = dict(backbone=dict(init_cfg=[_base_.init_cfg]))
