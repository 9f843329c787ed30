# What the rows of Tables 5 and 8 of https://arxiv.org/abs/2210.07124 share:
# RTFormer-Slim on ADE20K from scratch, at ten times the learning rate. By
# itself the chosen network, GFA + CA with 8 x 8 tokens: 33.0 mIoU.
#   mim train rtseg_plugin \
#       rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 4
_base_ = '../rtformer-slim_4xb4-160k_ade20k-512x512.py'
model = dict(backbone=dict(init_cfg=[_base_.init_cfg]))
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = _base_.param_scheduler
param_scheduler[0].start_factor = 1e-6 / 1e-3
param_scheduler[1].eta_min_ratio = 1e-7 / 1e-3
