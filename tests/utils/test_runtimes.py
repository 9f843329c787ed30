"""What a runtime leaves behind."""
import subprocess
import sys

import pytest

from tests.builders import ROOT

TWO_MODELS = """
import os
import signal
import sys
from pathlib import Path

import numpy as np
import openvino

from rtseg_plugin.utils.runtimes import OpenVINO

image = openvino.opset13.parameter([1, 3, 8, 8], np.float32)
model = openvino.Model([openvino.opset13.relu(image)], [image])
path = Path(sys.argv[1], 'model.xml')
openvino.save_model(model, path)
runtimes = [OpenVINO(path, dict(compute_precision='f32'), 1) for _ in range(2)]
while runtimes:
    result, = runtimes.pop(0).run({image.get_friendly_name():
                                   -np.ones((1, 3, 8, 8), np.float32)})
    assert not result.any()
caught = []
signal.signal(signal.SIGTERM, lambda *signalled: caught.append(signalled))
os.kill(os.getpid(), signal.SIGTERM)
assert caught
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='kills what is on Linux')
def test_a_signal_behind_two_models_that_have_gone(tmp_path):
    """Each core of OpenVINO would take a stack for signals with it."""
    pytest.importorskip('openvino')
    done = subprocess.run([sys.executable, '-c', TWO_MODELS, str(tmp_path)],
                          cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
