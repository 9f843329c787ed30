import pytest
import torch
from mmseg.models.backbones import ResNet
from torch.nn import functional as F

from rtseg_plugin.models.backbones import FANetResNet


def shapes(outs):
    return [tuple(out.shape[1:]) for out in outs]


# conv-0 to res-4 are the names of Fig. 3
VARIANTS = {
    'res-1': (dict(), (8, 16, 32, 64)),
    'none': (dict(strides=(1, 2, 2, 2)), (4, 8, 16, 32)),
    'conv-0': (dict(strides=(1, 2, 2, 2), halve_image=True), (8, 16, 32, 64)),
    'res-2': (dict(strides=(1, 4, 2, 2)), (4, 16, 32, 64)),
    'res-3': (dict(strides=(1, 2, 4, 2)), (4, 8, 32, 64)),
    'res-4': (dict(strides=(1, 2, 2, 4)), (4, 8, 16, 64)),
    'max': (dict(
        strides=(1, 2, 2, 2), pools=('max', None, None, None)),
            (8, 16, 32, 64)),
    'avg': (dict(
        strides=(1, 2, 2, 2), pools=('avg', None, None, None)),
            (8, 16, 32, 64)),
}


@torch.no_grad()
@pytest.mark.parametrize('name', VARIANTS)
def test_variants(name):
    arguments, strides = VARIANTS[name]
    backbone = FANetResNet(base_channels=8, **arguments).eval()
    outs = backbone(torch.randn(1, 3, 64, 128))
    assert shapes(outs) == [(8 * 2**i, 64 // s, 128 // s)
                            for i, s in enumerate(strides)]
    # odd sides round up
    outs = backbone(torch.randn(1, 3, 65, 125))
    assert shapes(outs) == [(8 * 2**i, -(-65 // s), -(-125 // s))
                            for i, s in enumerate(strides)]


@torch.no_grad()
@pytest.mark.parametrize('depth, parameters', [(18, 11180736), (34, 21288896)])
def test_parameters(depth, parameters):
    # measured on the official network
    backbone = FANetResNet(depth)
    assert sum(p.numel() for p in backbone.parameters()) == parameters


def plain_forward(net, x):
    """The official order of operations, one at a time."""
    x = F.leaky_relu(net.bn1(net.conv1(x)), 0.01)
    x = F.max_pool2d(x, 3, 2, 1)
    for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
        for block in stage:
            identity = x
            if block.downsample is not None:
                identity = block.downsample(x)
            if hasattr(block, 'conv3'):
                x = F.leaky_relu(block.bn1(block.conv1(x)), 0.01)
                x = F.leaky_relu(block.bn2(block.conv2(x)), 0.01)
                x = block.bn3(block.conv3(x))
            else:
                x = F.leaky_relu(block.bn1(block.conv1(x)), 0.01)
                x = block.bn2(block.conv2(x))
            x = F.relu(x + identity)
    return x


@pytest.mark.parametrize('depth', [18, 50])
def test_equals_plain_operations(depth):
    torch.manual_seed(0)
    net = FANetResNet(depth, base_channels=4).double()
    x = torch.randn(2, 3, 64, 96, dtype=torch.double, requires_grad=True)
    out, want = net(x)[-1], plain_forward(net, x)
    torch.testing.assert_close(out, want)
    got, = torch.autograd.grad(out.square().sum(), x)
    expected, = torch.autograd.grad(want.square().sum(), x)
    torch.testing.assert_close(got, expected)


def test_torchvision_weights(tmp_path):
    # the host's ResNet has torchvision's names; ImageNet files have fc too
    torchvision = ResNet(18, base_channels=8, stem_channels=8)
    with torch.no_grad():
        for tensor in torchvision.state_dict().values():
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 1.5)
    weights = dict(torchvision.state_dict())
    weights['fc.weight'], weights['fc.bias'] = torch.ones(9, 64), torch.ones(9)
    path = str(tmp_path / 'resnet18.pth')
    torch.save(weights, path)
    net = FANetResNet(
        base_channels=8, init_cfg=dict(type='Pretrained', checkpoint=path))
    net.init_weights()
    loaded = {k for k, v in net.state_dict().items()
              if k in weights and torch.equal(v, weights[k])}
    # only the projection that the extra halving needs is not in the file
    assert set(net.state_dict()) - loaded == {
        k for k in net.state_dict() if k.startswith('layer1.0.downsample.')
    }


@pytest.mark.parametrize('arguments, message', [
    (dict(depth=20), 'depth must be one of'),
    (dict(strides=(2, 2, 2)), 'strides and pools'),
    (dict(pools=('median', None, None, None)), "pools are 'max', 'avg'"),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        FANetResNet(**arguments)
