"""The tiled read against the formula written out."""
import pytest
import torch

from rtseg_plugin.models.layers import (
    local_attention,
    local_attention_reference,
    local_attention_weights,
)
from rtseg_plugin.models.layers.local_attention import _plain

# (N, Ck, Cv, H, W, S, R): odd sizes, maps smaller than a tile or than the
# window, one frame to four, values wide enough for the other tile, R = 1
SHAPES = [(2, 5, 3, 13, 17, 3, 7), (1, 4, 6, 3, 5, 1, 21),
          (1, 3, 520, 9, 19, 4, 5), (1, 8, 2, 20, 33, 2, 1),
          (1, 2, 2, 1, 1, 2, 3)]


def memory(n, ck, cv, h, w, s, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).to(
            dtype).requires_grad_()
        for shape in ((n, ck, h, w), (n, s, ck, h, w), (n, s, cv, h, w))
    ]


@pytest.mark.parametrize('constant', [False, True])
@pytest.mark.parametrize('chunk', [1, 1 << 24], ids=['tiles', 'rows'])
@pytest.mark.parametrize('shape', SHAPES)
def test_equals_reference(shape, chunk, constant, monkeypatch):
    from rtseg_plugin.models.layers.local_attention import _Reader
    monkeypatch.setitem(_Reader.__init__.__globals__, '_CHUNK_CPU', chunk)
    *sizes, window = shape
    tensors = memory(*sizes)
    if constant:
        tensors.append(
            torch.tensor(0.3, dtype=torch.float64, requires_grad=True))
    args = (*tensors[:3], window, *tensors[3:])
    want = local_attention_reference(*args)
    weight = torch.randn_like(want)
    want_grads = torch.autograd.grad(want, tensors, weight)
    # the last is what is exported; it takes the constant by position
    plain = (*tensors[:3], (tensors[3:] or [None])[0], window)
    for got in (local_attention(*args), _plain(*plain)):
        # float64: sums in another order
        torch.testing.assert_close(got, want, rtol=1e-10, atol=1e-12)
        for ours, theirs in zip(
                torch.autograd.grad(got, tensors, weight), want_grads):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)
    with torch.no_grad():
        torch.testing.assert_close(
            local_attention(*args), want, rtol=1e-10, atol=1e-12)


def test_border_by_hand():
    """Outside the map: logit 0 in the softmax, value 0."""
    query = torch.tensor([2.]).view(1, 1, 1, 1)
    keys = torch.tensor([1., -1.]).view(1, 2, 1, 1, 1)
    values = torch.tensor([10., 20.]).view(1, 2, 1, 1, 1)
    total = 16 + torch.exp(torch.tensor(2.)) + torch.exp(torch.tensor(-2.))
    want = (10 * torch.exp(torch.tensor(2.)) +
            20 * torch.exp(torch.tensor(-2.))) / total
    torch.testing.assert_close(
        local_attention(query, keys, values, 3).view(()), want)
    weights = local_attention_weights(query, keys, 3)
    assert weights.shape == (1, 9, 2, 1, 1)
    torch.testing.assert_close(weights.sum(), torch.tensor(1.))


def test_memory_is_displaced_not_the_query():
    """A key right of the query is found at displacement +1."""
    query, keys = torch.zeros(1, 1, 1, 5), torch.zeros(1, 1, 1, 1, 5)
    query[..., 2], keys[..., 3] = 10, 10
    weights = local_attention_weights(query, keys, 3)
    assert weights[0, :, 0, 0, 2].argmax() == 1 * 3 + 2


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_types(dtype):
    """Rounded inputs, then float32 up to the weights: one rounding more."""
    tensors = memory(1, 4, 6, 9, 10, 2, dtype)
    got = local_attention(*tensors, 5)
    assert got.dtype == dtype
    want = local_attention_reference(*(x.double() for x in tensors), 5)
    eps = torch.finfo(dtype).eps
    assert (got.double() - want).abs().max() < 4 * eps * want.abs().max()
    got.sum().backward()
    assert all(x.grad.dtype == dtype for x in tensors)


def read(query, keys, values):
    return local_attention(query, keys, values, 5)


def test_autocast_does_not_lower_the_logits():
    tensors = memory(1, 4, 6, 9, 10, 2, torch.float32)
    want = read(*tensors)
    with torch.autocast('cpu', torch.bfloat16):
        got = read(*tensors)
    assert torch.equal(got, want)


@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
def test_autocast_does_not_lower_the_logits_of_what_is_compiled():
    tensors = [x.detach() for x in memory(1, 4, 6, 9, 10, 2, torch.float32)]
    want = read(*tensors)
    with torch.autocast('cpu', torch.bfloat16):
        compiled = torch.compile(read, backend='eager', fullgraph=True)
        got = compiled(*tensors)
        traced = torch.jit.trace(read, tuple(tensors), check_trace=False)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)
    # TorchScript has an autocast of its own: what was traced runs outside
    torch.testing.assert_close(traced(*tensors), want, rtol=1e-5, atol=1e-5)


def test_a_second_derivative_is_refused():
    tensors = memory(1, 3, 4, 7, 9, 2)
    grad, = torch.autograd.grad(
        read(*tensors).square().sum(), tensors[0], create_graph=True)
    with pytest.raises(RuntimeError, match='once_differentiable'):
        grad.sum().backward()


def test_only_what_is_asked_for_gets_a_gradient():
    query, keys, values = memory(1, 3, 4, 7, 9, 2)
    query.requires_grad_(False)
    values.requires_grad_(False)
    local_attention(query, keys, values, 5).sum().backward()
    assert keys.grad is not None
    assert query.grad is None
    assert values.grad is None


def test_exports_and_is_right_at_another_size():

    class Read(torch.nn.Module):

        def forward(self, query, keys, values):
            return local_attention(query, keys, values, 5)

    height, width = (torch.export.Dim(name, min=9, max=64) for name in 'hw')
    tensors = [x.detach() for x in memory(1, 3, 4, 11, 18, 2, torch.float32)]
    axes = [{2: height, 3: width}, *[{3: height, 4: width}] * 2]
    program = torch.export.export(
        Read(), tuple(tensors), dynamic_shapes=tuple(axes)).module()
    for size in ((11, 18), (16, 32), (23, 9)):
        other = [
            x.detach() for x in memory(1, 3, 4, *size, 2, torch.float32)
        ]
        torch.testing.assert_close(
            program(*other), local_attention(*other, 5), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('change, says', [
    (dict(window=4), 'odd'),
    (dict(keys=torch.zeros(1, 0, 3, 7, 9)), 'no frame'),
    (dict(keys=torch.zeros(1, 2, 4, 7, 9)), 'do not fit the query'),
    (dict(keys=torch.zeros(1, 3, 7, 9)), 'query must be'),
    (dict(values=torch.zeros(1, 3, 4, 7, 9)), 'do not fit the keys'),
])
def test_errors(change, says):
    args = dict(
        query=torch.zeros(1, 3, 7, 9),
        keys=torch.zeros(1, 2, 3, 7, 9),
        values=torch.zeros(1, 2, 4, 7, 9),
        window=5)
    args.update(change)
    with pytest.raises(ValueError, match=says):
        local_attention(*args.values())
