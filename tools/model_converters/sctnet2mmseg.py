"""Convert checkpoints of xzz777/SCTNet.

The official file holds the inference network, the training-only branch and
the frozen teacher; ``--keep`` chooses. With ``--keep teacher`` the result is
an ordinary SegFormer checkpoint for stock MMSegmentation, or for
``model.teacher.checkpoint``.
"""
from _convert import parser, run

from rtseg_plugin.utils.key_maps.sctnet import KEEP, sctnet_rules

if __name__ == '__main__':
    arguments = parser('SCTNet')
    arguments.add_argument(
        '--keep',
        choices=KEEP,
        default='student',
        help='the inference network (default), the teacher alone, or the '
        'inference network with auxiliary head and projections')
    args = arguments.parse_args()
    run(args, sctnet_rules(args.keep))
