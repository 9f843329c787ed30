"""Convert checkpoints of feinanshan/FANet, any depth, Testing or Train copy.

Tensors without a way to any logits are left out on purpose: those of
``fam_4.up``, ``fam_8.smooth`` and, in the Testing copy, ``fam_32.smooth``.
"""
from _convert import parser, run

from rtseg_plugin.utils.key_maps.fanet import RULES

if __name__ == '__main__':
    run(parser('FANet').parse_args(), RULES)
