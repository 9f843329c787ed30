"""The attentions and feed-forward parts of RTFormer and its ablations."""
import pytest
import torch
from mmseg.registry import MODELS
from torch import nn
from torch.nn import functional as F

from rtseg_plugin.models.layers import adaptive_max_pool2d
from rtseg_plugin.models.layers import pooling as pool_module
from rtseg_plugin.models.layers.rivals.nystrom_attention import iterative_pinv

SINGLE = [
    dict(type='GPUFriendlyAttention', groups=2),
    dict(type='MultiHeadExternalAttention', num_heads=2, ratio=0.25),
    dict(type='SpatialReductionAttention', num_heads=2),
    dict(type='SpatialReductionAttention', num_heads=2, reduction=4),
    dict(type='LinformerAttention', num_heads=2, num_tokens=6, size=(4, 4)),
    dict(type='NystromAttention', num_heads=2, num_landmarks=5),
    dict(type='NystromAttention', num_landmarks=5, kernel_size=0),
]
NAMES = [f'{i}-{cfg["type"]}' for i, cfg in enumerate(SINGLE)]


def build(cfg, **kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(cfg, **kwargs)).double()


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize('cfg', SINGLE, ids=NAMES)
def test_one_interface(cfg):
    """Same width; wider with stride 2; odd and tiny sizes; gradients."""
    same = build(cfg, in_channels=16)
    x = randn(2, 16, 7, 9)
    assert same(x).shape == x.shape
    assert same.eval()(randn(1, 16, 1, 1)).isfinite().all()
    wider = build(cfg, in_channels=16, out_channels=32, stride=2)
    out = wider(x)
    assert out.shape == (2, 32, 4, 5)
    out.square().sum().backward()
    for name, parameter in wider.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize('cfg', SINGLE, ids=NAMES)
def test_samples_are_independent(cfg):
    attention = build(cfg, in_channels=16).eval()
    x = randn(3, 16, 6, 5)
    alone = torch.cat([attention(sample[None]) for sample in x])
    torch.testing.assert_close(attention(x), alone)


@pytest.mark.parametrize('cfg', SINGLE, ids=NAMES)
def test_channels_last(cfg):
    """Training in the layout of ChannelsLastHook gives the same gradients."""
    x = randn(2, 16, 7, 9)
    gradients = []
    for layout in (torch.contiguous_format, torch.channels_last):
        attention = build(cfg, in_channels=16).to(memory_format=layout)
        attention(x.contiguous(memory_format=layout)).square().sum().backward()
        gradients.append([p.grad for p in attention.parameters()])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize('cfg, message', [
    (dict(type='GPUFriendlyAttention', groups=3), r'groups \(3\).*\(16\)'),
    *[(dict(type=name, num_heads=3), r'num_heads \(3\).*\(16\)')
      for name in ('MultiHeadExternalAttention', 'SpatialReductionAttention',
                   'LinformerAttention', 'NystromAttention')],
    (dict(type='MultiHeadExternalAttention', ratio=0.01), 'no key'),
    (dict(type='NystromAttention', kernel_size=4), 'odd'),
])
def test_bad_arguments(cfg, message):
    with pytest.raises(ValueError, match=message):
        build(cfg, in_channels=16)


def test_external_attention_is_one_per_head():
    attention = build(SINGLE[1], in_channels=16)
    nn.init.normal_(attention.k)
    nn.init.normal_(attention.v)
    x = randn(1, 16, 3, 4)
    k, v = attention.k[:, :, 0, 0], attention.v[:, :, 0, 0]
    assert k.shape == (4, 8)  # M = 0.25 * d keys of d / heads channels
    heads = []
    for head in x[0].flatten(1).split(8):  # (channels of a head, pixels)
        weights = (k @ head).softmax(-1)
        heads.append(v @ (weights / (weights.sum(0) + 1e-6)))
    want = torch.cat(heads).view(x.shape)
    torch.testing.assert_close(attention.attend(x), want)


def softmax_attention(queries, keys, values, heads):
    """Plain multi-head attention of (C, tokens) maps."""
    out = []
    for q, k, v in zip(*(t.chunk(heads) for t in (queries, keys, values))):
        weights = (q.T @ k / q.shape[0]**0.5).softmax(-1)
        out.append((weights @ v.T).T)
    return torch.cat(out)


def test_self_attention_without_reduction():
    attention = build(SINGLE[2], in_channels=16)
    x = randn(1, 16, 3, 4)
    tokens = x[0].flatten(1)
    keys, values = attention.kv(tokens.T).T.chunk(2)
    read = softmax_attention(
        attention.q(x)[0].flatten(1), keys, values, heads=2)
    want = attention.out(read.view(x.shape))
    torch.testing.assert_close(attention.attend(x), want)


def test_self_attention_reduces_by_windows():
    attention = build(SINGLE[3], in_channels=16)
    assert attention._tokens(randn(1, 16, 8, 12)).shape == (1, 6, 16)
    # a border that fills no window becomes one of its own
    assert attention._tokens(randn(1, 16, 9, 2)).shape == (1, 3, 16)


def test_linformer_at_its_own_size_and_at_another():
    attention = build(SINGLE[4], in_channels=16)
    x = randn(1, 16, 4, 4)
    queries, keys, values = attention.qkv(x)[0].flatten(1).chunk(3)
    for_keys, for_values = attention.projections.flatten(2)
    read = softmax_attention(queries, keys @ for_keys.T,
                             values @ for_values.T, heads=2)
    want = attention.out(read.view(x.shape))
    torch.testing.assert_close(attention.attend(x), want)
    # flat projections sum the same, whatever the size
    attention.projections.data.fill_(0.5)
    sums = [attention._projections(*size).sum(-1)
            for size in ((4, 4), (7, 5), (2, 3))]
    torch.testing.assert_close(sums[0], sums[1])
    torch.testing.assert_close(sums[0], sums[2])


def test_nystrom_is_exact_when_every_pixel_is_a_landmark():
    # softmax(QK) inv(softmax(QK)) softmax(QK) V, so the inverse is what is
    # approximate: many iterations
    attention = build(
        dict(type='NystromAttention', num_heads=2, num_landmarks=12,
             kernel_size=0),
        in_channels=16)
    x = randn(1, 16, 3, 4)
    segments = attention._segments(x)
    torch.testing.assert_close(segments, torch.eye(12, dtype=torch.float64))
    matrix = (4 * torch.eye(12).double() + randn(12, 12)).softmax(-1)
    inverse = iterative_pinv(matrix, iterations=40)
    torch.testing.assert_close(inverse, matrix.inverse())


@pytest.mark.parametrize('pixels', [(3, 4), (5, 7), (1, 3)])
def test_nystrom_segments_are_adaptive_averages(pixels):
    attention = build(SINGLE[5], in_channels=16)
    x = randn(2, 16, *pixels)
    want = F.adaptive_avg_pool1d(x.flatten(2), 5)
    torch.testing.assert_close(x.flatten(2) @ attention._segments(x), want)


def test_nystrom_against_the_formula():
    attention = build(SINGLE[6], in_channels=16, num_heads=1)
    x = randn(1, 16, 4, 5)
    queries, keys, values = attention.qkv(x)[0].flatten(1).chunk(3)
    q, k = (F.adaptive_avg_pool1d(t[None], 5)[0] for t in (queries, keys))
    scale = 16**-0.5
    first, middle, last = ((a.T @ b * scale).softmax(-1)
                           for a, b in ((queries, k), (q, k), (q, keys)))
    read = first @ iterative_pinv(middle) @ last @ values.T
    want = attention.out(read.T.reshape(x.shape))
    torch.testing.assert_close(attention.attend(x), want)


def cross_attention():
    return build(
        dict(
            type='CrossResolutionAttention',
            in_channels=8,
            low_channels=16,
            cross_size=6))


def test_cross_attention_gradients_and_small_maps():
    attention = cross_attention()
    x, low = randn(2, 8, 7, 9), randn(2, 16, 2, 3)
    x.requires_grad_()
    low.requires_grad_()
    out = attention(x, low)
    assert out.shape == x.shape
    out.square().sum().backward()
    for tensor in (x, low, *attention.parameters()):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.any()


@pytest.mark.parametrize('size', [1, 6, 8, 12])
def test_gathered_pool_is_torchs(monkeypatch, size):
    """The form that exports, on maps smaller and larger than the grid."""
    x = randn(2, 3, 37, 64)
    for height, width in ((37, 64), (16, 32), (12, 8), (7, 1), (1, 11)):
        part = x[:, :, :height, :width]
        want = F.adaptive_max_pool2d(part, size)
        assert adaptive_max_pool2d(part, size).equal(want)
        with monkeypatch.context() as patch:
            patch.setattr(pool_module, 'is_exporting', lambda: True)
            assert adaptive_max_pool2d(part, size).equal(want)


@pytest.mark.slow
def test_cross_attention_exports_with_dynamic_sizes(tmp_path):
    """ONNX: batch, height and width of both inputs are free."""
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    attention = cross_attention().float().eval()
    path = str(tmp_path / 'cross.onnx')
    free = {0: 'n', 2: 'h', 3: 'w'}
    torch.onnx.export(
        attention, (torch.randn(2, 8, 24, 32), torch.randn(2, 16, 6, 8)),
        path,
        dynamo=True,
        verbose=False,
        dynamic_shapes=(free, {0: 'n', 2: 'lh', 3: 'lw'}),
        input_names=['x', 'low'],
        external_data=False)
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider'])
    for number, size in ((2, (24, 32)), (1, (40, 88)), (3, (17, 9))):
        x = torch.randn(number, 8, *size)
        low = torch.randn(number, 16, *(-(-s // 4) for s in size))
        got = session.run(None, dict(x=x.numpy(), low=low.numpy()))[0]
        with torch.no_grad():
            want = attention(x, low)
        # rounding only; torch's own adaptive pool does not export here
        torch.testing.assert_close(
            torch.from_numpy(got), want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('name', ['ConvFFN', 'DepthwiseFFN'])
def test_feed_forward_parts(name):
    ffn = build(dict(type=name), channels=8)
    assert ffn.norm.eps == 1e-6
    x = randn(2, 8, 5, 7)
    out = ffn(x)
    assert out.shape == x.shape
    out.sum().backward()
    assert all(p.grad is not None for p in ffn.parameters())
