"""Single rewrites, and what must not be rewritten."""
import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn
from torch.nn import functional as F

from rtseg_plugin.models.inference import to_inference
from rtseg_plugin.models.inference.fused_conv import Affine2d, FusedConv2d
from tests.models.inference.test_to_inference import assert_same, with_numbers


class Net(nn.Module):
    """A convolution from images to 8 channels, then what a test says."""

    def __init__(self, then, **modules):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        for name, module in modules.items():
            setattr(self, name, module)
        self._then = then

    def forward(self, x):
        return self._then(self, self.first(x))


def conv(kernel=3, channels=8, out=8, **arguments):
    return nn.Conv2d(
        channels, out, kernel, padding=kernel // 2, **arguments)


def bn():
    return nn.BatchNorm2d(8)


def check(network):
    """Convert, compare at another size, and count what is left."""
    network = with_numbers(network)
    converted = to_inference(network)
    x = torch.randn(2, 3, 40, 24)
    with torch.no_grad():
        want = network(x)
        got = converted(x)
    assert_same(got, want)
    kinds = [type(m) for m in converted.modules()]
    return converted, kinds.count(FusedConv2d), kinds.count(Affine2d)


def acts(converted):
    return [
        m.act for m in converted.modules() if isinstance(m, FusedConv2d)
    ]


def test_norm_sum_and_activation_join():

    def then(net, x):
        out = F.leaky_relu_(net.norm1(net.conv1(x)), 0.2)
        out = net.norm2(net.conv2(out))
        out += x
        return net.gelu(net.conv3(F.relu_(out)))

    converted, fused, affine = check(
        Net(then, conv1=conv(), norm1=bn(), conv2=conv(bias=False),
            norm2=bn(), conv3=conv(), gelu=nn.GELU()))
    assert (fused, affine) == (4, 0)
    assert acts(converted) == ['none', 'leaky_relu', 'relu', 'gelu']
    assert len(list(converted.modules())) == 5


def test_functional_convolutions_and_constants():

    class Kernels(nn.Module):

        def __init__(self):
            super().__init__()
            self.norm = bn()
            self.k = nn.ParameterList([nn.Parameter(torch.randn(4, 8, 1, 1))])

        def forward(self, x):
            x = self.norm(x)
            for k in self.k:
                y = F.conv2d(x, k, padding=k.shape[2] // 2)
                return F.conv2d(y, k.transpose(0, 1), bias=None).sigmoid()

    converted, fused, affine = check(
        Net(lambda net, x: net.kernels(F.gelu(x)), kernels=Kernels()))
    # the norm joins the 1x1 convolution behind it
    assert (fused, affine) == (3, 0)
    assert acts(converted) == ['none', 'none', 'sigmoid']


def test_a_norm_before_padding_or_with_other_readers_stays():

    def padded(net, x):
        return net.conv1(net.norm(F.gelu(x)))

    assert check(Net(padded, norm=bn(), conv1=conv()))[1:] == (2, 1)

    def read_twice(net, x):
        x = net.norm(F.gelu(x))
        return x + net.conv1(x)

    assert check(Net(read_twice, norm=bn(), conv1=conv(1)))[1:] == (2, 1)


def test_a_convolution_with_other_readers_keeps_its_output():

    def then(net, x):
        x = net.conv1(x)
        return F.relu(x) + net.norm(x) + x

    converted, fused, affine = check(Net(then, conv1=conv(), norm=bn()))
    assert (fused, affine) == (2, 1)
    assert acts(converted) == ['none', 'none']


def test_one_convolution_for_two_inputs():

    def then(net, x):
        # the layout of LMANet's reduced fusion: next to each other, no pair
        return net.norm(net.reduce(x) + net.reduce(F.gelu(x))).relu_()

    converted, fused, affine = check(Net(then, reduce=conv(1), norm=bn()))
    assert affine == 1


def test_sums_that_broadcast_stay():

    def then(net, x):
        return x + net.norm(net.conv1(x.mean((2, 3), keepdim=True))).relu()

    check(Net(then, conv1=conv(1), norm=bn()))

    def bare(net, x):
        return net.conv1(x.mean((2, 3), keepdim=True)) + F.gelu(x)

    check(Net(bare, conv1=conv(1)))


@pytest.mark.parametrize('norm', [
    nn.BatchNorm2d(8, track_running_stats=False),
    nn.BatchNorm2d(8, affine=False),
    nn.GroupNorm(2, 8),
    nn.InstanceNorm2d(8),
])
def test_other_norms(norm):
    """They stay; the one behind them joins all the same."""
    network = Net(lambda net, x: net.last(net.conv2(net.norm(net.conv1(x)))),
                  conv1=conv(), norm=norm, conv2=conv(), last=bn()).eval()
    converted = to_inference(network)
    x = torch.randn(2, 3, 40, 24)
    assert_same(converted(x).detach(), network(x).detach())
    joined = getattr(norm, 'running_mean', None) is not None
    assert any(type(m) is type(norm)
               for m in converted.modules()) == (not joined)
    assert not any(isinstance(m, nn.BatchNorm2d) and m.track_running_stats
                   for m in converted.modules())


def test_in_place_operations_and_who_sees_them():

    def later_use(net, x):
        y = net.conv1(x)
        z = F.relu_(y)
        return y + net.conv2(z)  # y is z

    check(Net(later_use, conv1=conv(), conv2=conv()))

    def a_view(net, x):
        y = F.gelu(x)
        y[:, :4].relu_()
        return net.conv1(y)

    converted, fused, _ = check(Net(a_view, conv1=conv()))
    assert type(converted.conv1) is FusedConv2d  # part by part

    def an_item(net, x):
        y = F.gelu(x)
        y[:, 0] = 0
        return net.conv1(y)

    check(Net(an_item, conv1=conv()))

    class OverwritesItsInput(nn.Module):

        def forward(self, x):
            return x.mul_(2).sigmoid()

    def argument(net, x):
        x = F.gelu(x)
        y = net.part(x)
        return x + y

    check(Net(argument, part=OverwritesItsInput()))


def test_1x1_convolutions_go_before_the_resize():

    def then(net, x):
        low = F.avg_pool2d(x, 4)
        high = F.interpolate(
            low, size=x.shape[2:], mode='bilinear', align_corners=False)
        both = net.norm(net.merge(torch.cat([x, high], 1))).relu()
        return both + net.value(high)

    network = Net(then, merge=conv(1, 16), norm=bn(), value=conv(1))
    sizes = []
    converted, fused, affine = check(network)
    assert (fused, affine) == (4, 0)
    for module in converted.modules():
        if isinstance(module, FusedConv2d):
            module.register_forward_hook(
                lambda module, args, output: sizes.append(output.shape[2]))
    converted(torch.randn(1, 3, 64, 128))
    assert sorted(sizes) == [16, 16, 64, 64]


def test_1x1_convolutions_of_nothing_else():

    def then(net, x):
        parts = [
            F.interpolate(
                F.avg_pool2d(x, k), size=x.shape[2:], mode='bilinear')
            for k in (2, 4)
        ]
        return net.merge(torch.cat(parts, 1))

    converted, fused, _ = check(
        Net(then, merge=ConvModule(16, 8, 1, act_cfg=dict(type='ReLU'))))
    check(Net(then, merge=conv(1, 16)))


def test_control_flow_stays():

    class Looks(nn.Module):

        def __init__(self):
            super().__init__()
            self.conv = ConvModule(8, 8, 3, padding=1,
                                   norm_cfg=dict(type='BN'))

        def forward(self, x):
            return self.conv(x) if x.shape[2] > 50 else x

    network = with_numbers(Net(lambda net, x: net.part(x), part=Looks()))
    converted = to_inference(network)
    assert any(isinstance(m, FusedConv2d) for m in converted.modules())
    for size in (32, 64):
        x = torch.randn(1, 3, size, size)
        assert_same(converted(x).detach(), network(x).detach())


def test_what_cannot_be_converted_is_an_error():

    class Weights(nn.Module):
        """Calls a convolution and reads its weights, too."""

        def __init__(self):
            super().__init__()
            self.conv = ConvModule(8, 8, 3, padding=1,
                                   norm_cfg=dict(type='BN'))

        def forward(self, x):
            if x.shape[2] > 1:
                return self.conv(x) * self.conv.bn.weight.mean()

    with pytest.raises((RuntimeError, AttributeError)):
        to_inference(with_numbers(Net(lambda n, x: n.part(x), part=Weights())))
