"""Convert checkpoints of mattpfr/lmanet, and those it starts from.

The keys say what the file is: LMANet on ERFNet or on PSPNet-101, a plain
ERFNet, or a PSPNet in the style of semseg (its auxiliary head is left out).
A PSPNet gets a 20th classifier row of zeros, the map that the official
forward appends. The never used ``memory_fusion.conv_layer_2`` of LMANet on
PSPNet is left out.
"""
from _convert import parser, run

from rtseg_plugin.utils.key_maps.lmanet import finish_lmanet, lmanet_rules

if __name__ == '__main__':
    run(parser('LMANet').parse_args(), lmanet_rules, finish=finish_lmanet)
