# GAIN with DFNet-2 on ADE20K. What is public of the paper gives no figure.
#   mim train rtseg_plugin gain-df2_2xb8-160k_ade20k-512x512.py \
#       --launcher pytorch --gpus 2
_base_ = [
    '../_base_/models/gain-df2.py',
    '../_base_/datasets/gain_ade20k_512x512.py',
    '../_base_/default_runtime.py', '../_base_/schedules/gain-sgd-poly_160k.py'
]
# 100 000 pixels per image
loss_decode = dict(min_kept_ratio=100000 / (512 * 512))
auxiliary_head = _base_.model.auxiliary_head
for head in auxiliary_head:
    head.num_classes = 150
    head.loss_decode.update(loss_decode)
model = dict(
    # test images are padded to a multiple of 32
    data_preprocessor=dict(size=(512, 512), test_cfg=dict(size_divisor=32)),
    decode_head=dict(num_classes=150, loss_decode=loss_decode),
    auxiliary_head=auxiliary_head)
