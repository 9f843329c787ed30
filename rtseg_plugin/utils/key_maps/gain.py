"""Checkpoints of hustvl/simpleseg (GAIN, there CLANet).

Both encoders, with either head; the auxiliary heads are kept. A bare encoder,
as the ImageNet files that official trainings start from, is taken too and
gets the prefix ``backbone.``; its classifier is left out. The light head of
the DFNet-2 networks and the head of the ResNet ones use the same names for
other things; the keys of the file tell which it is.
"""
from typing import Iterable, List

from ..official_weights import KeyMap, KeyRule

_BACKBONE = [
    (r'(?:backbone\.)?conv1\.(\d)\.(.*)', r'backbone.stem.\1.\2'),
    (r'(?:backbone\.)?bn1\.(.*)', r'backbone.stem.7.\1'),
    (r'(?:backbone\.)?((?:layer\d|stage1|stage\d_\d)\..*)', r'backbone.\1'),
    (r'fc\.(?:weight|bias)', None),
]
_CONTEXTS = [
    (r'conv1\.(.*)', r'project.\1'),
    (r'conv2\.(.*)', r'fuse.\1'),
    (r'stages\.(\d)\.1\.(.*)', r'stages.\1.0.\2'),
    (r'stages\.(\d)\.2\.(.*)', r'stages.\1.1.\2'),
    (r'(bottleneck\..*)', r'\1'),
]
_INTERPOLATION = [
    # criss-cross, non-local, bilinear
    (r'conv1\.(.*)', r'query_conv.\1'),
    (r'conv2\.(.*)', r'value_conv.\1'),
    (r'attention\.(gamma|query_conv\..*|key_conv\..*|value_conv\..*)',
     r'attention.\1'),
    (r'(bottleneck\..*)', r'\1'),
    # Sparse
    (r'attention\.q\.(.*)', r'attention.query.\1'),
    (r'attention\.k\.(.*)', r'attention.key.\1'),
    (r'attention\.v\.(.*)', r'attention.value.\1'),
    (r'attention\.((?:offset|proj)\..*)', r'attention.\1'),
    # Align
    (r'align\.down_h\.(.*)', r'reduce_semantic.\1'),
    (r'align\.down_l\.(.*)', r'reduce_guide.\1'),
    (r'align\.flow_make\.(.*)', r'flow_conv.\1'),
]
_HEAD = [
    (r'seg_head\.merge\.(.*)', r'decode_head.merge.\1'),
    (r'seg_head\.output\.([01])\.(.*)', r'decode_head.refine.\1.\2'),
    (r'seg_head\.output\.4\.(.*)', r'decode_head.conv_seg.\1'),
]
_LIGHT_HEAD = [
    (r'seg_head\.output\.([0134])\.(.*)', r'decode_head.merge.\1.\2'),
    (r'seg_head\.output\.7\.(.*)', r'decode_head.conv_seg.\1'),
]
_AUXILIARY = [
    (r'dsn\.(\d)\.layers\.([01])\.(.*)', r'auxiliary_head.\1.conv.\2.\3'),
    (r'dsn\.(\d)\.layers\.4\.(.*)', r'auxiliary_head.\1.conv_seg.\2'),
]


def interpolation_rules() -> List[KeyRule]:
    """Rules for one interpolation module, keys without a prefix."""
    return list(_INTERPOLATION)


def context_rules() -> List[KeyRule]:
    """Rules for one context module, keys without a prefix."""
    return list(_CONTEXTS)


def gain_rules(keys: Iterable[str]) -> List[KeyRule]:
    """Rules for an official GAIN checkpoint.

    Args:
        keys (Iterable[str]): The official keys, which tell the head: the
            light one alone has a classifier ``seg_head.output.7``.

    Returns:
        list[tuple[str, str]]: The key map.
    """
    light = 'seg_head.output.7.weight' in set(keys)
    rules = _BACKBONE + [
        (r'seg_head\.fpn_in\.(\d)\.(.*)', r'neck.laterals.\1.\2')
    ]
    rules += [(r'seg_head\.ppm\.' + old, 'neck.contexts.0.' + new)
              for old, new in _CONTEXTS]
    for index in range(2):
        rules += [(rf'seg_head\.cross_layer_attentions\.{index}\.' + old,
                   f'neck.interpolations.{index}.' + new)
                  for old, new in _INTERPOLATION]
    return rules + (_LIGHT_HEAD if light else _HEAD) + _AUXILIARY


KEY_MAP = KeyMap(gain_rules)
