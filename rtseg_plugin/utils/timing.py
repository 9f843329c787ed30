"""How long a call takes, on a device that works behind one's back."""
import time
from typing import Callable

import torch


def timed(call: Callable[[], object], device: str) -> float:
    """Seconds of one call, the device's queue emptied before and after.

    Args:
        call (Callable): What is timed.
        device (str): Where it runs, such as 'cpu' or 'cuda:0'.

    Returns:
        float: Seconds.
    """
    if device.startswith('cuda'):
        torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    if device.startswith('cuda'):
        torch.cuda.synchronize()
    return time.perf_counter() - start
