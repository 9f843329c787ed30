# SCTNet-B-Seg75 of Table 1: 79.8 mIoU (official repository: 79.83) on
# Cityscapes val. The training of SCTNet-B-Seg50, tested at 768x1536.
#   mim train rtseg_plugin sctnet-b-seg75_2xb8-160k_cityscapes-512x1024.py \
#       --launcher pytorch --gpus 2
_base_ = './sctnet-b-seg50_2xb8-160k_cityscapes-512x1024.py'
test_steps = _base_.test_steps
test_steps.resize.scale = (1536, 768)
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_image, test_steps.resize, _base_.tta]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
