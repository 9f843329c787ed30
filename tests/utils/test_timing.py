"""Calls that are timed in turns."""
from rtseg_plugin.utils.timing import in_turns


def test_calls_take_turns_and_the_first_ones_do_not_count():
    order = []
    seconds = in_turns([lambda: order.append('a'), lambda: order.append('b')],
                       rounds=2, warmup=1)
    assert order == list('ababab')
    assert seconds.shape == (2, 2)
    assert (seconds > 0).all()
