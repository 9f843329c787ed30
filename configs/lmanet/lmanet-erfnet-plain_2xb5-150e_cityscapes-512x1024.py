# LMANet on ERFNet from scratch, all of it at once: what to start from with
# clips of one's own. No published result; the paper trains in stages, from a
# trained ERFNet.
#   mim train rtseg_plugin \
#       lmanet-erfnet-plain_2xb5-150e_cityscapes-512x1024.py \
#       --launcher pytorch --gpus 2
_base_ = [
    '../_base_/models/lmanet-erfnet.py',
    '../_base_/datasets/cityscapes-sequence-lmanet_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adam-poly_150e.py'
]
log_processor = dict(by_epoch=True)
