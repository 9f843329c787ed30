# LMANet on PSPNet-101, first stage: key and fusion layers learn. The second
# stage gives Table V, S=3 R=21: 78.48 at work size on Cityscapes val, single
# scale, the single frame 76.34. load_from: a PSPNet of semseg's structure
# after lmanet2mmseg.py.
#   mim train rtseg_plugin \
#       lmanet-psp101-s3-r21_stage1_6xb1-50e_cityscapes-1025x2049.py \
#       --gpus 6 --launcher pytorch
_base_ = [
    '../_base_/models/lmanet-psp101.py',
    '../_base_/datasets/cityscapes-sequence-lmanet_512x1024.py',
    '../_base_/default_runtime.py', '../_base_/schedules/adam-plateau_50e.py'
]
log_processor = dict(by_epoch=True)
# sides of 8n + 1, as align_corners=True wants them
crop_size = (1025, 2049)
clip_length = 4
train_steps, test_steps = _base_.train_steps, _base_.test_steps
flip_and_shift = _base_.flip_and_shift
flip_and_shift.resize.scale = (2049, 1025)
train_steps.augment.transforms = list(flip_and_shift.values())
train_pipeline = list(train_steps.values())
test_steps.resize.transforms = [flip_and_shift.resize]
test_pipeline = list(test_steps.values())
tta_pipeline = [test_steps.load_clip, test_steps.resize, _base_.tta]
train_dataloader = dict(
    batch_size=1,
    dataset=dict(clip_length=clip_length, pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(clip_length=clip_length, pipeline=test_pipeline))
test_dataloader = val_dataloader
frozen = dict(
    type='FreezeHook',
    prefixes=['backbone', 'decode_head'],
    eval_mode=False)
custom_hooks = [*_base_.plugin_hooks, frozen]
load_from = 'checkpoints/pspnet-101_cityscapes.pth'
