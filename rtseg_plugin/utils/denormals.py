"""Numbers too small to matter, which a processor counts slowly."""
import ctypes
import os
import threading

import torch

_SOFT = 1  # omp_pause_soft: OpenMP's threads end, new ones start when needed
_this = threading.local()


def flush_denormals() -> None:
    """Let numbers below the smallest normal one be zero on the CPU.

    The softmax of a trained network gives values below 1.2e-38, and so does
    the gradient of GELU; a processor takes many times as long for each of
    them (docs/results.md has what that costs). Nothing that is added to a
    number above 1e-30 changes.

    Holds for the thread that calls and the OpenMP threads that work for it;
    the second call in a thread does nothing.
    """
    if getattr(_this, 'flushes', False):
        return
    _this.flushes = True
    torch.set_flush_denormal(True)
    # A thread has the mode of the one that started it, for good: those that
    # OpenMP keeps have to end, where its library can be asked to (version 5).
    if os.name == 'posix':
        pause = getattr(ctypes.CDLL(None), 'omp_pause_resource_all', None)
        if pause is not None:
            pause(_SOFT)
