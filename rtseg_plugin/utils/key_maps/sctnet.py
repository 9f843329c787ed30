"""Checkpoints of xzz777/SCTNet, and of its backbone.

The official file holds the inference network, the training-only branch and
the frozen teacher, an ordinary SegFormer under other prefixes: ``--keep``
chooses ``student``, the inference network (default), ``teacher``, an ordinary
checkpoint for stock MMSegmentation or for ``model.teacher.checkpoint``, or
``training``, the inference network with auxiliary head and projections.
"""
from typing import List

from ..official_weights import KeyMap, KeyRule

_BACKBONE = [
    (r'conv1\.0\.(.*)', r'stem.0.0.conv.\1'),
    (r'conv1\.1\.(.*)', r'stem.0.0.bn.\1'),
    (r'conv1\.3\.(.*)', r'stem.1.0.conv.\1'),
    (r'conv1\.4\.(.*)', r'stem.1.0.bn.\1'),
    (r'layer([123])\.(\d)\.conv(\d)\.(.*)', r'stage\1.\2.conv\3.conv.\4'),
    (r'layer([123])\.(\d)\.bn(\d)\.(.*)', r'stage\1.\2.conv\3.bn.\4'),
    (r'layer([23])\.0\.downsample\.0\.(.*)', r'stage\1.0.shortcut.conv.\2'),
    (r'layer([23])\.0\.downsample\.1\.(.*)', r'stage\1.0.shortcut.bn.\2'),
    (r'convdown4\.0\.(.*)', r'down4.0.conv.\1'),
    (r'convdown4\.1\.(.*)', r'down4.0.bn.\1'),
    (r'spp\.scale0\.0\.(.*)', r'spp.scales.0.bn.\1'),
    (r'spp\.scale0\.2\.(.*)', r'spp.scales.0.conv.\1'),
    (r'spp\.scale([1-4])\.1\.(.*)', r'spp.scales.\1.1.bn.\2'),
    (r'spp\.scale([1-4])\.3\.(.*)', r'spp.scales.\1.1.conv.\2'),
    *[(rf'spp\.process{i + 1}\.{j}\.(.*)', rf'spp.processes.{i}.{name}.\1')
      for i in range(4) for j, name in ((0, 'bn'), (2, 'conv'))],
    (r'spp\.(compression|shortcut)\.0\.(.*)', r'spp.\1.bn.\2'),
    (r'spp\.(compression|shortcut)\.2\.(.*)', r'spp.\1.conv.\2'),
]
_CFBLOCK = [
    (r'attn_l\.kv', r'attn.kernels.0'),
    (r'attn_l\.kv3', r'attn.kernels.1'),
    (r'attn_l\.norm\.(.*)', r'attn.norm.\1'),
    (r'mlp_l\.(norm|conv1|conv2)\.(.*)', r'ffn.\1.\2'),
]
_BLOCKS = {
    r'layer3_2\.': 'stage3_former.',
    r'layer4\.': 'stage4_former1.',
    r'layer5\.': 'stage4_former2.',
}
_HEAD = r'(bn1|conv1|bn2|conv_seg)\.(.*)'
_TRAINING_ONLY = [
    (r'auxiliary_head\.0\.' + _HEAD, r'auxiliary_head.\1.\2'),
    (r'auxiliary_head\.1\.feature_transforms\.(.*)',
     r'alignments.0.projection.\1'),
    (r'auxiliary_head\.1\.convstage4\.(.*)', r'alignments.1.projection.\1'),
    (r'auxiliary_head\.1\.convstage3\.(.*)', r'alignments.2.projection.\1'),
]
# The prefixes of the teacher in a segmentor's file and in its own file.
_TEACHER = [
    (r'(?:auxiliary_head\.1\.)?teacher_backbone\.(.*)', r'backbone.\1'),
    (r'(?:auxiliary_head\.1\.)?teacher_head\.(.*)', r'decode_head.\1'),
]

KEEP = ('student', 'teacher', 'training')


def cfblock_rules() -> List[KeyRule]:
    """Rules for one official CFBlock, keys without a prefix."""
    return list(_CFBLOCK)


def backbone_rules(old: str = r'backbone\.',
                   new: str = 'backbone.') -> List[KeyRule]:
    """Rules for the backbone, under any prefix."""
    rules = [(old + pattern, new + name) for pattern, name in _BACKBONE]
    for old_block, new_block in _BLOCKS.items():
        rules += [(old + old_block + pattern, new + new_block + name)
                  for pattern, name in _CFBLOCK]
    return rules


def sctnet_rules(keep: str = 'student') -> List[KeyRule]:
    """Rules for an official SCTNet checkpoint.

    Args:
        keep (str): 'student', the inference network; 'teacher', the SegFormer
            inside, with the names of a stock MMSegmentation checkpoint;
            'training', the inference network with the auxiliary head and the
            projections of the alignments. A bare backbone file (ImageNet
            pre-training) converts as 'student' too and gets the prefix
            ``backbone.``.

    Returns:
        list[tuple[str, str | None]]: The key map.

    Raises:
        ValueError: If ``keep`` is none of these.
    """
    if keep not in KEEP:
        raise ValueError(f'keep must be one of {KEEP}, got {keep!r}')
    student = (
        backbone_rules() + backbone_rules('') +
        [(r'decode_head\.' + _HEAD, r'decode_head.\1.\2')])
    if keep == 'teacher':
        return _TEACHER + [(pattern, None)
                           for pattern, _ in student + _TRAINING_ONLY]
    drop_teacher = [(pattern, None) for pattern, _ in _TEACHER]
    if keep == 'training':
        return student + _TRAINING_ONLY + drop_teacher
    return student + [(pattern, None)
                      for pattern, _ in _TRAINING_ONLY] + drop_teacher


KEY_MAP = KeyMap({part: sctnet_rules(part) for part in KEEP})
