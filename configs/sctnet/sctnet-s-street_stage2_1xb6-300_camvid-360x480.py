# The end of a training with class weights: with their square roots, which find
# as much of the rare classes and put less of the others to them.
#   mim train rtseg_plugin \
#       sctnet-s-street_stage2_1xb6-300_camvid-360x480.py
_base_ = './sctnet-s-street_1xb6-2k_camvid-360x480.py'
loss_decode = dict(class_weight=_base_.class_weight_root)
model = dict(
    decode_head=dict(loss_decode=loss_decode),
    auxiliary_head=dict(loss_decode=loss_decode))
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_iters=300, val_interval=150)
default_hooks = dict(checkpoint=dict(interval=150))
load_from = ('work_dirs/sctnet-s-street_1xb6-2k_camvid-360x480/'
             'iter_2000.pth')
