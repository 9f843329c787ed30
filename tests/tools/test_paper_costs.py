"""The costs of the papers' tables, by counting and by arithmetic."""
import runpy

import pytest
from torch._subclasses.fake_tensor import FakeTensorMode

import rtseg_plugin  # noqa: F401
from tests.builders import ROOT


@pytest.mark.parametrize('channels', [32, 256])
def test_attention_of_fanet(channels):
    tool = runpy.run_path(str(ROOT / 'tools/analysis_tools/paper_costs.py'))
    n, c, key = 8 * 16, channels, 32
    layers = n * (2 * c * key + 2 * c * c)  # query, key, value, output
    with FakeTensorMode():
        fast = tool['attention']('FastAttention', c, 8, 16)
        softmax = tool['attention']('SoftmaxSelfAttention', c, 8, 16)
    assert fast * 1e9 == layers + 2 * n * key * c
    assert softmax * 1e9 == layers + n * n * (key + c)
