import pytest
import torch
from mmseg.models.backbones import ResNetV1c

from rtseg_plugin.models.backbones import GAINResNet


@pytest.mark.parametrize('depth', [18, 50])
def test_the_second_convolution_is_dilated_in_every_block(depth):
    backbone = GAINResNet(depth, dilations=(1, 1, 2, 4), base_channels=8)
    for layer, dilation in ((backbone.layer3, 2), (backbone.layer4, 4)):
        for block in layer:
            assert block.conv1.dilation == (1, 1)
            assert block.conv2.dilation == block.conv2.padding == (dilation,
                                                                   dilation)
    outs = backbone.eval()(torch.randn(1, 3, 64, 64))
    assert [out.shape[2] for out in outs] == [16, 8, 4, 2]


@torch.no_grad()
@pytest.mark.parametrize('strides', [(1, 2, 2, 2), (1, 2, 2, 1)])
def test_undilated_it_is_the_hosts(strides):
    torch.manual_seed(0)
    ours = GAINResNet(
        base_channels=8, dilations=(1, 1, 1, 1), strides=strides)
    host = ResNetV1c(
        depth=18, stem_channels=128, base_channels=8, strides=strides)
    host.load_state_dict(ours.state_dict())
    ours.eval()
    host.eval()
    x = torch.randn(2, 3, 65, 97)
    for got, want in zip(ours(x), host(x)):
        # another memory format sums in another order
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_initialisation_is_the_official_one():
    """Norms start at 1 also at the end of a block."""
    backbone = GAINResNet(base_channels=8)
    backbone.init_weights()
    assert (backbone.layer1[0].bn2.weight == 1).all()


def test_bad_arguments():
    with pytest.raises(ValueError, match='4 entries'):
        GAINResNet(dilations=(1, 2))
    with pytest.raises(TypeError):
        GAINResNet(dilation=(1, 1, 1, 2))
