"""Checkpoints (.pdparams) of PaddlePaddle/PaddleSeg's RTFormer.

Paddle is not needed. The file of a whole network and the one of an ImageNet
backbone are both taken. The size of the cross feature is not in a file: which
one a checkpoint was trained with, its config says.
"""
from typing import Dict

import torch
from torch import Tensor

from ..official_weights import KeyMap
from ..paddle import load_paddle

_BLOCK = [
    (r'attn_shortcut_l\.0\.', 'shortcut.bn.'),
    (r'attn_shortcut_l\.1\.', 'shortcut.conv.'),
    (r'attn_l\.', 'low_attention.'),
    (r'attn_h\.', 'high_attention.'),
    (r'cross_kv\.0\.', 'high_attention.norm_low.'),
    (r'cross_kv\.2\.', 'high_attention.kv.'),
    (r'mlp_l\.', 'low_ffn.'),
    (r'mlp_h\.', 'high_ffn.'),
    (r'compression\.0\.', 'compression.bn.'),
    (r'compression\.2\.', 'compression.conv.'),
    (r'down\.0\.', 'injection.0.bn.'),
    (r'down\.2\.', 'injection.0.conv.'),
    (r'down\.3\.', 'injection.1.bn.'),
    (r'down\.5\.', 'injection.1.conv.'),
]
_PREFIXES = [
    (r'conv1\.0\.', 'backbone.stem.0.conv.'),
    (r'conv1\.1\.', 'backbone.stem.0.bn.'),
    (r'conv1\.3\.', 'backbone.stem.1.conv.'),
    (r'conv1\.4\.', 'backbone.stem.1.bn.'),
    (r'layer([123])\.([01])\.conv([12])\.',
     r'backbone.stage\1.\2.conv\3.conv.'),
    (r'layer([123])\.([01])\.bn([12])\.', r'backbone.stage\1.\2.conv\3.bn.'),
    (r'layer([23])\.0\.downsample\.0\.',
     r'backbone.stage\1.0.downsample.conv.'),
    (r'layer([23])\.0\.downsample\.1\.', r'backbone.stage\1.0.downsample.bn.'),
    (r'layer3_\.0\.conv([12])\.', r'backbone.stage3_high.conv\1.conv.'),
    (r'layer3_\.0\.bn([12])\.', r'backbone.stage3_high.conv\1.bn.'),
    (r'compression3\.0\.', 'backbone.compression3.bn.'),
    (r'compression3\.2\.', 'backbone.compression3.conv.'),
    *[(r'layer([45])\.' + old, r'backbone.stage\1.' + new)
      for old, new in _BLOCK],
    (r'spp\.scale0\.0\.', 'backbone.spp.scales.0.bn.'),
    (r'spp\.scale0\.2\.', 'backbone.spp.scales.0.conv.'),
    (r'spp\.scale([1-4])\.1\.', r'backbone.spp.scales.\1.1.bn.'),
    (r'spp\.scale([1-4])\.3\.', r'backbone.spp.scales.\1.1.conv.'),
    *[(rf'spp\.process{i + 1}\.{j}\.', f'backbone.spp.processes.{i}.{name}.')
      for i in range(4) for j, name in ((0, 'bn'), (2, 'conv'))],
    (r'spp\.(compression|shortcut)\.0\.', r'backbone.spp.\1.bn.'),
    (r'spp\.(compression|shortcut)\.2\.', r'backbone.spp.\1.conv.'),
    (r'seghead\.(bn1|conv1|bn2)\.', r'decode_head.\1.'),
    (r'seghead\.conv2\.', 'decode_head.conv_seg.'),
    (r'seghead_extra\.(bn1|conv1|bn2)\.', r'auxiliary_head.\1.'),
    (r'seghead_extra\.conv2\.', 'auxiliary_head.conv_seg.'),
]
# the rest of a key; the name alone tells Paddle's running statistics apart
_ENDINGS = [
    (r'((?:norm\.)?)_mean', 'running_mean'),
    (r'((?:norm\.)?)_variance', 'running_var'),
    (r'((?:(?:norm|conv[12])\.)?(?:weight|bias|k|v))', ''),
]


def _rules():
    for prefix, new_prefix in _PREFIXES:
        group = new_prefix.count('\\') + 1
        for ending, new_ending in _ENDINGS:
            yield prefix + ending, rf'{new_prefix}\{group}{new_ending}'


RULES = list(_rules())


def add_batch_counters(state_dict: Dict[str, Tensor]) -> None:
    """Give each batch norm the counter that Paddle does not have.

    Args:
        state_dict (dict[str, Tensor]): Converted tensors, changed in place.
    """
    for name in list(state_dict):
        if name.endswith('running_var'):
            counter = name.replace('running_var', 'num_batches_tracked')
            state_dict[counter] = torch.zeros((), dtype=torch.long)


KEY_MAP = KeyMap(RULES, load=load_paddle, finish=add_batch_counters)
