# What the rows of Tables 5 and 8 of https://arxiv.org/abs/2210.07124 share:
# RTFormer-Slim on ADE20K from scratch, at ten times the learning rate. By
# itself the chosen network, GFA + CA with 8 x 8 tokens: 33.0 mIoU.
#   mim train rtseg_plugin \
#       rtformer-slim-scratch_4xb4-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 4
_base_ = '../rtformer-slim_4xb4-160k_ade20k-512x512.py'
model = dict(backbone=dict(init_cfg=[_base_.init_cfg]))
lr = 1e-3
optim_wrapper = dict(optimizer=dict(lr=lr))
warm_up = dict(_base_.warm_up, start_factor=1e-6 / lr)
decay = dict(_base_.decay, eta_min_ratio=1e-7 / lr)
param_scheduler = [warm_up, decay]
