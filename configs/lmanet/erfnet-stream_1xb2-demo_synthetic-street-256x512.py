# ERFNet on streams without a memory: the control of the LMANet demo. Its
# decoder is trained for as many iterations as the two stages together.
#   mim train rtseg_plugin erfnet-stream_1xb2-demo_synthetic-street-256x512.py
_base_ = './lmanet-erfnet-s4-r21_stage2_1xb2-demo_synthetic-street-256x512.py'
model = dict(neck=None)
train_dataloader = dict(dataset=dict(clip_length=1))
val_dataloader = dict(dataset=dict(clip_length=1))
train_cfg = dict(max_iters=400, val_interval=400)
param_scheduler = _base_.param_scheduler
param_scheduler[1].end = 400
default_hooks = dict(checkpoint=dict(interval=400))
load_from = ('work_dirs/erfnet_1xb4-demo_synthetic-street-256x512/'
             'iter_400.pth')
