# Equations 2 and 3 to the letter: divided by the number of positions, which
# the official code does not do. Not in a table.
_base_ = '../fanet-18_2xb8-80k_cityscapes-1024x1024.py'
model = dict(neck=dict(attention=dict(divide_by_positions=True)))
