# ERFNet on streams without a memory: the control of the LMANet demo. Its
# decoder is trained for as many iterations as the two stages together.
#   mim train rtseg_plugin erfnet-stream_1xb4-demo_synthetic-street-128x256.py
_base_ = './lmanet-erfnet-s4-r21_stage2_1xb4-demo_synthetic-street-128x256.py'
model = dict(neck=None)
train_dataloader = dict(dataset=dict(clip_length=1))
val_dataloader = dict(dataset=dict(clip_length=1))
train_cfg = dict(max_iters=600, val_interval=600)
default_hooks = dict(checkpoint=dict(interval=600))
load_from = ('work_dirs/erfnet_1xb8-demo_synthetic-street-128x256/'
             'iter_1000.pth')
