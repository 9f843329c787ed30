import pytest
import torch

from rtseg_plugin.models.layers import (
    BlendFusion,
    ConcatFusion,
    GatedFusion,
    ReducedGatedFusion,
)


@pytest.mark.parametrize('fusion, arguments, parameters', [
    (GatedFusion, dict(), 443392),
    (GatedFusion, dict(dropout_ratio=0.), 443392),
    (GatedFusion, dict(pre_activation=False), 443136),
    (GatedFusion, dict(shared_gate=True), 295808),
    (GatedFusion, dict(pre_activation=False, shared_gate=True), 295552),
    (ConcatFusion, dict(), 256),
])
def test_variants_have_the_official_size(fusion, arguments, parameters):
    """Counts of the official code at 64 value channels."""
    module = fusion(64, **arguments)
    assert sum(p.numel() for p in module.parameters()) == parameters
    read, query = torch.rand(2, 2, 64, 5, 6, requires_grad=True)
    out = module(read, query)
    assert out.shape == (2, 128, 5, 6)
    out.square().sum().backward()
    assert all(p.grad is not None for p in module.parameters())


def test_reduced_is_the_official_without_its_dead_layer():
    count = sum(p.numel() for p in ReducedGatedFusion(2048).parameters())
    assert count == 2106368 - 524544


def test_blend_starts_near_the_query_and_learns():
    torch.manual_seed(0)
    module = BlendFusion(8, first_gate=0.2)
    read, query = torch.randn(2, 2, 8, 5, 6)
    out = module(read, query)
    torch.testing.assert_close(out, 0.8 * query + 0.2 * read)
    # a read that is always right: the gate opens
    optimizer = torch.optim.SGD(module.parameters(), lr=1.)
    before = (out - read).abs().mean()
    for _ in range(20):
        optimizer.zero_grad()
        (module(read, query) - read).square().mean().backward()
        optimizer.step()
    assert (module(read, query) - read).abs().mean() < 0.7 * before


@pytest.mark.parametrize('half', ['read', 'query', None])
def test_blend_under_autocast(half):
    """Its inputs come in either type there, the gate in the half one."""
    torch.manual_seed(0)
    inputs = dict(read=torch.randn(1, 8, 5, 6), query=torch.randn(1, 8, 5, 6))
    module = BlendFusion(8)
    want = module(**inputs)
    if half:
        inputs[half] = inputs[half].bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        got = module(**inputs)
    torch.testing.assert_close(got.float(), want, rtol=0.05, atol=0.05)


def test_wrong_channels():
    with pytest.raises(ValueError, match='must be value_channels'):
        BlendFusion(16, 32)
    with pytest.raises(ValueError, match='between 0 and 1'):
        BlendFusion(16, first_gate=1.)
    with pytest.raises(ValueError, match='must be value_channels'):
        ReducedGatedFusion(16, 32)
    with pytest.raises(ValueError, match='must be twice'):
        ConcatFusion(16, 16)
