# What a config of the stock host needs for parts of this package; beside it in
# `_base_`, as in the examples.
custom_imports = dict(imports=['rtseg_plugin'], allow_failed_imports=False)
plugin_hooks = [
    dict(type='CheckpointCheckHook'),
    dict(type='RandomStateHook'),
    dict(type='FiniteLossHook'),
    dict(type='FlushDenormalsHook'),
    dict(type='DataCheckHook'),
    dict(type='TeacherScoreHook')
]
custom_hooks = plugin_hooks
