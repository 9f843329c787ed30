# SCTNet-B-Seg100 of Table 2: 80.5 mIoU (official repository: 80.51) on
# Cityscapes val, trained on crops of 1024x1024 and tested at 1024x2048.
#   mim train rtseg_plugin \
#       sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024.py \
#       --launcher pytorch --gpus 2
_base_ = './sctnet-b-seg50_2xb8-160k_cityscapes-512x1024.py'
crop_size = (1024, 1024)
model = dict(data_preprocessor=dict(size=crop_size))
train_pipeline = _base_.train_pipeline
train_pipeline[2].ratio_range = (0.5, 2.0)
train_pipeline[3].crop_size = crop_size
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = (2048, 1024)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
