"""The inference form of whole networks."""
import copy

import pytest
import torch
from torch import nn

from rtseg_plugin.apis.network import LogitsNetwork
from rtseg_plugin.deployment.onnx_file import capture
from rtseg_plugin.models.backbones import ERFNetEncoder
from rtseg_plugin.models.inference import to_inference
from rtseg_plugin.models.inference.fused_conv import FusedConv2d
from tests import builders

NETWORKS = [
    'sctnet-s', 'rtformer-slim', 'fanet-18', 'gain-r18', 'gain-df2', 'erfnet'
]


def with_numbers(network):
    """Norms and zero-initialised gates that do something."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    for name, parameter in network.named_parameters():
        if name.endswith('gamma'):
            nn.init.constant_(parameter, 0.5)
    return network.eval()


def built(name):
    return with_numbers(
        builders.build_model(
            builders.load_config(f'_base_/models/{name}.py')))


def assert_same(got, want):
    # rounding, of numbers of any size
    torch.testing.assert_close(
        got, want, rtol=0, atol=1e-4 * want.abs().max().item())


@torch.no_grad()
@pytest.mark.parametrize('name', NETWORKS)
def test_same_outputs_at_any_size(name):
    network = built(name)
    before = copy.deepcopy(network.state_dict())
    converted = to_inference(network)
    for size in ((2, 3, 128, 192), (1, 3, 150, 131)):
        x = torch.randn(size)
        want = LogitsNetwork(network)(x)
        assert_same(LogitsNetwork(converted)(x), want)
        assert_same(to_inference(LogitsNetwork(network))(x), want)
    # convolutions and norms are joined, and what stood there is gone
    assert not any(
        isinstance(m, nn.modules.batchnorm._BatchNorm)
        for part in (converted.backbone, converted.decode_head)
        for m in part.modules())
    assert any(isinstance(m, FusedConv2d) for m in converted.modules())
    assert type(converted.backbone) is type(network.backbone)
    # the original is as it was
    assert set(before) == set(network.state_dict())
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), key
    assert all(p.requires_grad for p in network.parameters())


@torch.no_grad()
@pytest.mark.parametrize('name', ['lmanet-erfnet', 'fanet-18'])
def test_a_stream_is_the_same(name):
    config = builders.load_config(f'_base_/models/{name}.py')
    if name == 'fanet-18':
        config.model.type = 'VideoEncoderDecoder'
        config.model.neck.type = 'TemporalFastAttentionNeck'
    network = with_numbers(builders.build_model(config))
    converted = to_inference(network)
    state = state_of_converted = None
    for _ in range(3):
        frame = torch.randn(1, 3, 64, 128)
        want, state = network.step(frame, state)
        got, state_of_converted = converted.step(frame, state_of_converted)
        assert_same(got, want)
        for a, b in zip(state_of_converted, state):
            assert_same(a, b)


@torch.no_grad()
def test_predict_resizes_alike():
    network = built('sctnet-s')
    converted = to_inference(network)
    x = torch.randn(1, 3, 64, 128)
    metas = [dict(img_shape=(64, 128), pad_shape=(64, 128))]
    features = network.extract_feat(x)
    want = network.decode_head.predict(features, metas, {})
    got = converted.decode_head.predict(
        converted.extract_feat(x), metas, {})
    assert_same(got, want)


def test_errors():
    network = built('sctnet-s')
    converted = to_inference(network)
    with pytest.raises(RuntimeError, match='cannot be trained'):
        converted.train()
    assert not converted.eval().training
    with pytest.raises(ValueError, match='eval mode'):
        to_inference(network.train())
    with pytest.raises(ValueError, match='at least 32x32 pixels, got 16x64'):
        converted.backbone(torch.randn(1, 3, 16, 64))
    # a tap within would never fire
    with pytest.raises(AttributeError):
        converted.get_submodule('backbone.stage1.0')


@torch.no_grad()
def test_a_hook_keeps_what_it_waits_for():
    network = built('sctnet-s')
    seen = []
    for path in ('backbone.stage1.0.conv2', 'decode_head.bn2'):
        network.get_submodule(path).register_forward_hook(
            lambda module, args, output: seen.append(output.clone()))
    x = torch.randn(1, 3, 64, 128)
    want = network(x, mode='tensor')
    values = seen.copy()
    converted = to_inference(network)
    seen.clear()
    assert_same(converted(x, mode='tensor'), want)
    assert len(seen) == len(values) == 2
    for got, value in zip(seen, values):
        assert_same(got, value)


def test_other_ways_to_run_it():
    network = built('sctnet-s')
    converted = to_inference(network)
    x = torch.randn(1, 3, 64, 128, requires_grad=True)
    want = network(x, mode='tensor')
    # gradients of the image
    got = converted(x, mode='tensor')
    assert_same(got.detach(), want.detach())
    grads = [torch.autograd.grad(y.square().sum(), x)[0] for y in (want, got)]
    assert_same(grads[1], grads[0])
    with torch.no_grad():
        # copies and loaded weights lay the weights out anew
        again = copy.deepcopy(converted)
        assert_same(again(x, mode='tensor'), want.detach())
        again.load_state_dict({
            key: torch.zeros_like(value)
            for key, value in again.state_dict().items()
        })
        assert not again(x, mode='tensor').any()
        # other types are those of the plain network
        half = copy.deepcopy(network).bfloat16()(x.bfloat16(), mode='tensor')
        got = to_inference(network).bfloat16()(x.bfloat16(), mode='tensor')
        assert got.dtype == torch.bfloat16
        assert (got - half).abs().max() < 0.1 * half.abs().max()
        with torch.autocast('cpu', torch.bfloat16):
            got = converted(x, mode='tensor')
        assert got.dtype == torch.bfloat16


@torch.no_grad()
def test_norms_without_running_statistics_stay():
    """They look at the image itself, so nothing of them is a constant."""
    torch.manual_seed(0)
    network = ERFNetEncoder(
        norm_cfg=dict(type='BN', track_running_stats=False)).eval()
    converted = to_inference(network)
    x = torch.randn(2, 3, 64, 96)
    for got, want in zip(converted(x), network(x)):
        torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-3)


@torch.no_grad()
@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
@pytest.mark.parametrize('name, way', [
    ('sctnet-s', 'trace'), ('sctnet-s', 'export'), ('gain-r18', 'trace'),
    pytest.param('gain-r18', 'export', marks=pytest.mark.slow)])
def test_written_down_it_is_plain(name, way):
    """Any runtime knows its operations; norms are gone; sizes are free."""
    segmentor = built(name)
    network = LogitsNetwork(segmentor)
    converted = LogitsNetwork(to_inference(segmentor))
    x = torch.randn(1, 3, 64, 128)
    if way == 'trace':
        written = torch.jit.trace(converted, x, check_trace=False)
        operations = {n.kind() for n in written.inlined_graph.nodes()}
        convolution = 'aten::_convolution'
    else:
        program = capture(converted, [x], free='HW')
        written = program.module()
        operations = {str(n.target) for n in program.graph.nodes
                      if n.op == 'call_function'}
        convolution = 'aten.conv2d.default'
    assert convolution in operations
    assert not [o for o in operations if 'norm' in o or 'mkl' in o]
    for size in ((64, 128), (96, 160)):
        x = torch.randn(1, 3, *size)
        assert_same(written(x), network(x))
