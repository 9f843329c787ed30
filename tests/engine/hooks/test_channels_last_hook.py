"""Weights are laid out anew; what they compute stays."""
from types import SimpleNamespace

import torch
from torch import nn

from rtseg_plugin.engine import ChannelsLastHook


def test_the_layout_changes_and_the_values_do_not():
    model = nn.Conv2d(3, 4, 3, padding=1)
    before = model.weight.detach().clone()
    x = torch.randn(2, 3, 8, 9, generator=torch.Generator().manual_seed(0))
    want = model(x)
    ChannelsLastHook().before_train(SimpleNamespace(model=model))
    assert model.weight.is_contiguous(memory_format=torch.channels_last)
    assert not model.weight.is_contiguous()
    assert torch.equal(model.weight, before)
    got = model(x)
    assert got.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(got, want)
