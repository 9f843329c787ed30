import pytest
import torch
from mmseg.registry import MODELS

import rtseg_plugin  # noqa: F401


@pytest.mark.parametrize('arch, channels, classes, number', [
    ('small', 32, 19, 4_654_643),
    ('small', 32, 150, 4_671_542),
    ('base', 64, 19, 17_437_779),
    ('base', 64, 150, 17_471_446),
    ('base', 64, 171, 17_476_843),
])
def test_parameters_of_the_official_network(arch, channels, classes, number):
    backbone = MODELS.build(dict(type='SCTNet', arch=arch))
    head = MODELS.build(
        dict(
            type='SCTHead',
            in_channels=4 * channels,
            channels=4 * channels,
            num_classes=classes))
    assert sum(
        p.numel() for m in (backbone, head) for p in m.parameters()) == number


def test_stage_2_is_not_activated():
    """The auxiliary head and the decode head get x2 without its ReLU."""
    torch.manual_seed(0)
    backbone = MODELS.build(dict(type='SCTNet')).eval()
    backbone.init_weights()
    with torch.no_grad():
        out, x2, *_ = backbone(torch.randn(1, 3, 64, 64))
    assert (x2 < 0).any()
    assert torch.equal(out[:, :64], x2)


def test_kernels_start_apart_and_part_further():
    """From zero all 64 kernels of a branch would stay equal for ever."""
    torch.manual_seed(0)
    backbone = MODELS.build(dict(type='SCTNet', drop_path_rate=0.))
    backbone.init_weights()
    kernels = [
        p for n, p in backbone.named_parameters() if '.kernels.' in n
    ]
    assert len(kernels) == 6

    def spread():
        return torch.stack([k.std(dim=0).mean() for k in kernels]).detach()

    start = spread()
    assert torch.all((start > 5e-4) & (start < 1.5e-3))
    optimizer = torch.optim.AdamW(backbone.parameters(), lr=1e-3)
    x = torch.randn(2, 3, 64, 64)
    for _ in range(4):
        optimizer.zero_grad()
        sum(out.square().mean() for out in backbone(x)).backward()
        optimizer.step()
    assert torch.all(spread() > start)

    # the same from zero, as the official code does it: no spread at all
    torch.manual_seed(0)
    zero = MODELS.build(dict(type='CFBlock', channels=32, num_kernels=16))
    for kernel in zero.attn.kernels:
        torch.nn.init.zeros_(kernel)
    optimizer = torch.optim.AdamW(zero.parameters(), lr=1e-2)
    x = torch.randn(2, 32, 16, 16)
    for _ in range(4):
        optimizer.zero_grad()
        zero(x).square().mean().backward()
        optimizer.step()
    for kernel in zero.attn.kernels:
        # equal up to the rounding of sums in another order
        assert kernel.std(dim=0).max() < 1e-6


def test_unknown_arch_and_misspelt_argument():
    with pytest.raises(ValueError, match="'base', 'small'"):
        MODELS.build(dict(type='SCTNet', arch='large'))
    with pytest.raises(TypeError, match='drop_path_rte'):
        MODELS.build(dict(type='SCTNet', drop_path_rte=0.1))


def test_out_indices():
    backbone = MODELS.build(dict(type='SCTNet', out_indices=(3, 0))).eval()
    with torch.no_grad():
        outs = backbone(torch.randn(1, 3, 64, 64))
    assert [out.shape[1] for out in outs] == [256, 128]
