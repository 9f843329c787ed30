# Cityscapes for the test server: trained on train and val, validated on val,
# which says no more than that nothing broke; `mim test` writes the results of
# the test split in the server's format.
_base_ = ['./cityscapes-fanet_1024x1024.py', '../server.py']
train = _base_.train_dataloader.dataset
val = dict(train, data_prefix=_base_.val_dataloader.dataset.data_prefix)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='ConcatDataset', datasets=[train, val]))
# labels of the test split are not public
loading = [_base_.test_steps.load_image, _base_.test_steps.resize]
server_pipeline = [*loading, _base_.test_steps.pack]
tta = dict(transforms=[_base_.test_steps.pack])
tta_pipeline = [*loading, dict(_base_.tta, **tta)]
test_dataloader = dict(
    dataset=dict(data_prefix=_base_.server.data, pipeline=server_pipeline))
test_evaluator = dict(_base_.server.evaluator, _delete_=True)
