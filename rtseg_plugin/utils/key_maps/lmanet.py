"""Checkpoints of mattpfr/lmanet, and those that it starts from.

The keys say what the file is: LMANet on ERFNet or on PSPNet-101, a plain
ERFNet, or a PSPNet in the style of semseg (its auxiliary head is left out).
A PSPNet gets a 20th classifier row of zeros, the map that the official
forward appends. The never used ``memory_fusion.conv_layer_2`` of LMANet on
PSPNet is left out.
"""
from typing import Dict, Iterable, List

import torch
from torch import Tensor

from ..official_weights import KeyMap, KeyRule

_BLOCK = {
    'conv3x1_1': 'convs_layers.0',
    'conv1x3_1': 'convs_layers.2',
    'bn1': 'convs_layers.3',
    'conv3x1_2': 'convs_layers.5',
    'conv1x3_2': 'convs_layers.7',
    'bn2': 'convs_layers.8'
}
# Official layer number -> stage and place in it.
_ENCODER = {
    **{i: f'backbone.stages.0.{i}' for i in range(6)},
    **{i: f'backbone.stages.1.{i - 6}' for i in range(6, 15)}
}
_DECODER = {
    **{i: f'decode_head.stages.0.{i}' for i in range(3)},
    **{i: f'decode_head.stages.1.{i - 3}' for i in range(3, 6)}
}
_MEMORY = [(r'kv_M_r4\.Key\.(.*)', r'neck.memory_key.\1'),
           (r'kv_M_r4\.Value\.(.*)', r'neck.memory_value.\1'),
           (r'kv_Q_r4\.Key\.(.*)', r'neck.query_key.\1'),
           (r'kv_Q_r4\.Value\.(.*)', r'neck.query_value.\1'),
           (r'memory_module_local\.const', 'neck.constant')]
_FUSION = [(r'bn1\.(.*)', r'query_act.norm.\1'),
           (r'bn2\.(.*)', r'read_act.norm.\1'),
           (r'conv_layer_1\.(.*)', r'query_conv.\1'),
           (r'conv_layer_2\.(.*)', r'read_conv.\1'),
           (r'conv_layer_3(?:4)?\.(.*)', r'query_gate.\1'),
           (r'conv_layer_4\.(.*)', r'read_gate.\1'), (r'bn\.(.*)', r'norm.\1')]
_REDUCED_FUSION = [(r'bn0\.(.*)', r'reduce_norm.\1'),
                   (r'conv_layer_1\.(.*)', r'reduce.\1'),
                   # in every official file, used by no official forward
                   (r'conv_layer_2\.(.*)', None),
                   (r'conv_layer_3\.(.*)', r'query_gate.\1'),
                   (r'conv_layer_4\.(.*)', r'read_gate.\1'),
                   (r'bn\.(.*)', r'norm.\1')]


def fusion_rules(reduced: bool = False,
                 old: str = '',
                 new: str = '') -> List[KeyRule]:
    """Rules for a fusion.

    Args:
        reduced (bool): Whether it is 'sigmoid-down1', ReducedGatedFusion.
            Defaults to False: GatedFusion or ConcatFusion.
        old (str): Official prefix, a regular expression. Defaults to ''.
        new (str): Prefix here. Defaults to ''.

    Returns:
        list[tuple[str, str | None]]: The key map.
    """
    return [(old + pattern, name and new + name)
            for pattern, name in (_REDUCED_FUSION if reduced else _FUSION)]


def _erfnet() -> List[KeyRule]:
    rules: List[KeyRule] = [(r'encoder\.initial_block\.(.*)',
                             r'backbone.stem.\1')]
    for part, layers in (('encoder', _ENCODER), ('decoder', _DECODER)):
        for number, place in layers.items():
            layer = rf'{part}\.layers\.{number}\.'
            rules.append((layer + r'((?:conv|bn)\..*)', rf'{place}.\1'))
            rules += [(layer + old + r'\.(.*)', rf'{place}.{new}.\1')
                      for old, new in _BLOCK.items()]
    return rules + [
        (r'decoder\.output_conv(?:_new)?\.(.*)', r'decode_head.conv_seg.\1'),
        # classifier of the encoder's own pre-training
        (r'encoder\.output_conv\..*', None),
        # decoder of the auxiliary loss on what was read
        (r'decoder_mem\..*', None)
    ]


def _pspnet() -> List[KeyRule]:
    return [
        (r'(?:encoder\.)?layer0\.(.*)', r'backbone.stem.\1'),
        (r'(?:encoder\.)?layer([1-4])\.(.*)', r'backbone.layer\1.\2'),
        (r'ppm\.features\.(\d)\.1\.(.*)',
         r'decode_head.psp_modules.\1.1.conv.\2'),
        (r'ppm\.features\.(\d)\.2\.(.*)',
         r'decode_head.psp_modules.\1.1.bn.\2'),
        (r'(?:decoder\.)?cls\.0\.(.*)', r'decode_head.bottleneck.conv.\1'),
        (r'(?:decoder\.)?cls\.1\.(.*)', r'decode_head.bottleneck.bn.\1'),
        (r'(?:decoder\.)?cls\.4\.(.*)', r'decode_head.conv_seg.\1'),
        (r'aux\..*', None),
    ]


def lmanet_rules(keys: Iterable[str]) -> List[KeyRule]:
    """Rules for a file with these keys.

    Args:
        keys (Iterable[str]): Official keys without ``module.``.

    Returns:
        list[tuple[str, str | None]]: The key map.
    """
    keys = list(keys)
    pspnet = any('layer4.' in key and '.conv3.' in key for key in keys)
    reduced = any(key.startswith('memory_fusion.bn0.') for key in keys)
    network = _pspnet() if pspnet else _erfnet()
    return network + _MEMORY + fusion_rules(
        reduced, r'memory_fusion\.', 'neck.fusion.')


def finish_lmanet(state_dict: Dict[str, Tensor]) -> None:
    """Last changes to converted tensors, in place.

    PSPNet's 20th map, a constant zero in the official forward, becomes a
    classifier row of zeros. The learnable constant becomes a scalar.

    Args:
        state_dict (dict[str, Tensor]): Converted tensors.
    """
    if 'decode_head.bottleneck.conv.weight' in state_dict:
        for name in ('weight', 'bias'):
            key = f'decode_head.conv_seg.{name}'
            value = state_dict[key]
            if value.shape[0] == 19:
                state_dict[key] = torch.cat((value, value.new_zeros(
                    1, *value.shape[1:])))
    if 'neck.constant' in state_dict:
        state_dict['neck.constant'] = state_dict['neck.constant'].reshape(())


KEY_MAP = KeyMap(lmanet_rules, finish=finish_lmanet)
