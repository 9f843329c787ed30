import pytest
import torch

from rtseg_plugin.models.backbones import DFNet


def test_parameters_of_df2():
    # 17.474 M as measured of the official network
    assert sum(p.numel() for p in DFNet().parameters()) == 17474208


@torch.no_grad()
def test_options():
    outs = DFNet(output_stride=64).eval()(torch.randn(1, 3, 128, 128))
    assert [out.shape[2] for out in outs] == [16, 8, 2]
    # what is not asked for is not built
    backbone = DFNet(out_indices=(1, ))
    assert not any(name.startswith('stage3') for name, _ in
                   backbone.named_parameters())


@pytest.mark.parametrize('config, match', [
    (dict(arch='df9'), 'df2'),
    (dict(output_stride=16), '32 or 64'),
    (dict(out_indices=(4, )), '0, 1, 2 and 3'),
])
def test_bad_arguments(config, match):
    with pytest.raises(ValueError, match=match):
        DFNet(**config)
