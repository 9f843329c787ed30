"""Convert GAIN checkpoints of hustvl/simpleseg (there CLANet).

Both encoders, with either head; the auxiliary heads are kept.
"""
from _convert import parser, run

from rtseg_plugin.utils.key_maps.gain import gain_rules

if __name__ == '__main__':
    run(parser('GAIN').parse_args(), gain_rules)
