"""Checkpoints of feinanshan/FANet, any depth, Testing or Train copy.

Both copies of the official network are covered: the Testing copy (``fam_S``,
``clslayer``) and the Train copy (``ffm_S``, ``clslayer_8``, auxiliary heads).
Tensors without a way to any logits are left out on purpose: those of
``fam_4.up``, ``fam_8.smooth`` and, in the Testing copy, ``fam_32.smooth``.
"""
from ..official_weights import KeyMap

# official number of a module (its stride without the extra halving) to ours
_STAGES = ((4, 0), (8, 1), (16, 2), (32, 3))
_LAYERS = {
    'w_qs': 'attention.query',
    'w_ks': 'attention.key',
    'w_vs': 'attention.value',
    'latlayer3': 'lateral',
    'up': 'up',
    'smooth': 'smooth',
}
_HEADS = (
    (r'clslayer(?:_8)?', 'decode_head'),
    (r'clslayer_16', 'auxiliary_head.0'),
    (r'clslayer_32', 'auxiliary_head.1'),
)

RULES = [
    (r'resnet\.(.*)', r'backbone.\1'),
    # without a way to any logits
    (r'f[af]m_4\.up\..*', None),
    (r'f[af]m_8\.smooth\..*', None),
    # without one in the Testing copy; in the other for the auxiliary head
    (r'fam_32\.smooth\..*', None),
    (r'ffm_32\.smooth\.(.*)', r'auxiliary_head.1.smooth.\1'),
    *((rf'f[af]m_{old}\.{layer}\.(.*)', rf'neck.stages.{new}.{name}.\1')
      for old, new in _STAGES for layer, name in _LAYERS.items()),
    *((rf'{old}\.conv\.(.*)', rf'{new}.conv.\1') for old, new in _HEADS),
    *((rf'{old}\.conv_out\.(.*)', rf'{new}.conv_seg.\1')
      for old, new in _HEADS),
]

KEY_MAP = KeyMap(RULES)
