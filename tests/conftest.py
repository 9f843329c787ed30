"""Imported before any test module."""
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


@pytest.fixture(scope='session', autouse=True)
def quick_runs():
    """See :func:`tests.builders.shorten_runs`."""
    from tests.builders import shorten_runs
    with pytest.MonkeyPatch.context() as patch:
        shorten_runs(patch)
        yield
