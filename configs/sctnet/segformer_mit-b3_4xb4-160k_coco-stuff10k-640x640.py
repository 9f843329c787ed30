# The teacher of SCTNet-B on COCO-Stuff-10K, which no zoo has: SegFormer-B3,
# trained with its own rates on that recipe's crops. No published result. The
# best checkpoint is what
# checkpoints/teacher_segformer_mit-b3_coco-stuff10k.pth has to be.
#   mim train rtseg_plugin \
#       segformer_mit-b3_4xb4-160k_coco-stuff10k-640x640.py \
#       --launcher pytorch --gpus 4
_base_ = [
    '../_base_/models/sctnet-b.py',
    '../_base_/datasets/coco-stuff10k_640x640.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw-poly-undecayed-norms_160k.py'
]
model = dict(
    _base_.model.teacher.config,
    _delete_=True,
    data_preprocessor=dict(_base_.data_preprocessor, size=(640, 640)),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
model['backbone'].init_cfg = dict(
    type='Pretrained',
    checkpoint='https://download.openmmlab.com/mmsegmentation/v0.5/pretrain/'
    'segformer/mit_b3_20220624-13b1141c.pth')
model['backbone'].drop_path_rate = 0.1  # as the host trains it
model['decode_head'].num_classes = 171
train_dataloader = dict(batch_size=4)
optim_wrapper = dict(optimizer=dict(lr=6e-5))
train_cfg = dict(val_interval=4000)
