# ERFNet with a memory that starts as the single frame, nearly: the features
# themselves are its values, and a gate blends them. Unlike LMANet's fusion it
# has nothing to learn anew, so that a short training goes further.
_base_ = '../lmanet-erfnet-s4-r21_stage1_1xb4-demo_synthetic-street-128x256.py'
model = dict(
    neck=dict(
        value_channels=None,
        fusion=dict(_delete_=True, type='BlendFusion', first_gate=0.3)))
