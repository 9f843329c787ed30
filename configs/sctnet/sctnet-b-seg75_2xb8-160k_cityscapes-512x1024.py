# SCTNet-B-Seg75 of Table 2: 79.8 mIoU (official repository: 79.83) on
# Cityscapes val. The training of SCTNet-B-Seg50, tested at 768x1536.
#   mim train rtseg_plugin sctnet-b-seg75_2xb8-160k_cityscapes-512x1024.py \
#       --launcher pytorch --gpus 2
_base_ = './sctnet-b-seg50_2xb8-160k_cityscapes-512x1024.py'
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (1536, 768)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
