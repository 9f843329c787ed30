"""How long a call takes, on a device that works behind one's back."""
import time
from typing import Callable, Sequence

import numpy as np


def timed(call: Callable[[], object], device: str) -> float:
    """Seconds of one call, the device's queue emptied before and after.

    Args:
        call (Callable): What is timed.
        device (str): Where it runs, such as 'cpu' or 'cuda:0'.

    Returns:
        float: Seconds.
    """
    def wait() -> None:
        if device.startswith('cuda'):
            from torch.cuda import synchronize
            synchronize()

    wait()
    start = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - start


def in_turns(calls: Sequence[Callable[[], object]], rounds: int,
             warmup: int = 0, device: str = 'cpu') -> np.ndarray:
    """Time calls one after the other, again and again.

    A machine that slows down does so for all of them.

    Args:
        calls (Sequence[Callable]): What is timed.
        rounds (int): Timed turns.
        warmup (int): Untimed turns before. Defaults to 0.
        device (str): Where they run. Defaults to 'cpu'.

    Returns:
        np.ndarray: Seconds, (rounds, calls).
    """
    return np.array([[timed(call, device) for call in calls]
                     for _ in range(warmup + rounds)])[warmup:]
