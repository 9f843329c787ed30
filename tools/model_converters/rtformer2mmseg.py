"""Convert RTFormer checkpoints (.pdparams) of PaddlePaddle/PaddleSeg.

Paddle is not needed. The file of a whole network and the one of an ImageNet
backbone are both taken. The size of the cross feature is not in a file: which
one a checkpoint was trained with, its config says.
"""
from _convert import parser, run

from rtseg_plugin.utils.key_maps.rtformer import RULES, add_batch_counters
from rtseg_plugin.utils.paddle import load_paddle

if __name__ == '__main__':
    run(
        parser('RTFormer').parse_args(),
        RULES,
        load=load_paddle,
        finish=add_batch_counters)
