# Cityscapes clips for LMANet, whose label of no class is 19.
_base_ = './cityscapes-sequence_512x1024.py'
train_steps = _base_.train_steps
pack = train_steps.pop('pack')
train_steps.update(relabel=_base_.relabel, pack=pack)
train_pipeline = list(train_steps.values())
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
