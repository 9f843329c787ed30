"""Imported before any test module."""
import functools
import os

import pytest

# oneDNN's AMX kernels keep the state of the tiles for themselves; with torch,
# OpenVINO and onnxruntime in one process, as here and nowhere else, that has
# ended in segmentation faults. Read when torch is imported; see
# https://github.com/openvinotoolkit/openvino/issues/37577 and
# https://github.com/pytorch/pytorch/issues/187912
os.environ.setdefault('ONEDNN_MAX_CPU_ISA', 'AVX512_CORE_FP16')

# puts the stand-in for mmcv's compiled part in place, where that is absent,
# so that test modules may import the host's models in any order
import rtseg_plugin  # noqa: E402, F401


def plain_format(text, **kwargs):
    """In place of yapf's, which takes a second for a recipe."""
    compile(text, 'config', 'exec')
    return text, False


@pytest.fixture(scope='session', autouse=True)
def quick_runs():
    """What the hundreds of short runs would take longest for.

    The runner writes its config four times and asks for compilers, and a
    checkpoint waits for the disk.
    """
    from mmengine.runner import runner
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmengine.config.config.FormatCode', plain_format)
        patch.setattr(runner, 'collect_env',
                      functools.lru_cache(runner.collect_env))
        patch.setattr(os, 'fsync', lambda file: None)
        yield
