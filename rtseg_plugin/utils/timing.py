"""How long a call takes, on a device that works behind one's back."""
import time
from typing import Callable


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
