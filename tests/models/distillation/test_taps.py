"""Reading tensors out of a network that overwrites them."""
import pytest
import torch
from torch import nn

from rtseg_plugin.models.distillation.taps import parse_tap, record


class Careless(nn.Module):
    """Changes outputs and inputs of its modules in place."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(self.conv(x)) * 2


@pytest.mark.parametrize('inference', [False, True])
@pytest.mark.parametrize('name', ['conv', 'act@input'])
def test_a_tap_is_what_the_module_gave_or_got(name, inference):
    torch.manual_seed(0)
    network, x = Careless(), torch.randn(2, 3, 4, 5)
    want = network.conv(x)
    assert (want < 0).any()
    tap = parse_tap(name, network, 'student')
    with torch.inference_mode(inference):
        with record(network, [tap], 'student') as tensors:
            network(x)
    got = tensors[name]
    assert torch.equal(got, want)
    assert got.requires_grad is not inference
    if inference:  # may still enter a graph
        (got * want).sum().backward()
    else:
        got.sum().backward()
    assert network.conv.weight.grad.abs().sum() > 0
    assert not network.conv._forward_hooks
    assert not network.act._forward_pre_hooks
