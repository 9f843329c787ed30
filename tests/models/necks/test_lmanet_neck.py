import pytest
import torch
from mmseg.registry import MODELS

from rtseg_plugin.models.necks import LocalMemoryAttention


def neck(**arguments):
    torch.manual_seed(0)
    arguments = {
        **dict(
            in_channels=8,
            key_channels=4,
            value_channels=4,
            memory_size=3,
            window_size=5),
        **arguments
    }
    return LocalMemoryAttention(**arguments).eval()


def test_defaults_run():
    module = MODELS.build(dict(type='LocalMemoryAttention')).eval()
    x = torch.rand(1, 128, 6, 7)
    first, state = module(x)
    assert first is x
    second, state = module(x, state)
    assert second.shape == x.shape
    assert state.keys.shape == (1, 2, 16, 6, 7)


@torch.no_grad()
def test_memory_is_bounded_and_oldest_first():
    module, state, states = neck(), None, []
    for value in torch.rand(200, 2, 8, 4, 5):
        _, state = module(value, state)
        states.append(state)
    assert [s.keys.shape[1] for s in states[:4]] == [1, 2, 3, 3]
    assert state.keys.shape == (2, 3, 4, 4, 5)
    assert state.values.shape == (2, 3, 4, 4, 5)
    assert torch.equal(states[-1].keys[:, :-1], states[-2].keys[:, 1:])
    assert torch.equal(states[-1].values[:, :-1], states[-2].values[:, 1:])
    # nothing of a stream is left on the module
    assert not list(module.buffers(recurse=False))
    assert not any(torch.is_tensor(v) for v in vars(module).values())


def keys_are_equal(module):
    query, memory = module.query_key, module.memory_key
    assert query.weight.data_ptr() != memory.weight.data_ptr()
    return torch.equal(query.weight, memory.weight) and torch.equal(
        query.bias, memory.bias)


@pytest.mark.parametrize('init_cfg', [
    None,
    dict(type='Kaiming', layer='Conv2d'),
    [dict(type='Kaiming', layer='Conv2d'),
     dict(type='Constant', layer='BatchNorm2d', val=1)],
])
def test_keys_start_equal_and_are_not_tied(init_cfg):
    module = neck(init_cfg=init_cfg)
    assert keys_are_equal(module)
    before = module.memory_key.weight.clone()
    module.init_weights()
    assert keys_are_equal(module)
    assert torch.equal(module.memory_key.weight, before) == (init_cfg is None)


@pytest.mark.parametrize('others', [[], [dict(type='Kaiming',
                                              layer='Conv2d')]])
def test_keys_of_a_checkpoint_stay(tmp_path, others):
    trained = neck()
    with torch.no_grad():
        trained.query_key.weight.add_(1)
    torch.save(trained.state_dict(), tmp_path / 'neck.pth')
    pretrained = dict(
        type='Pretrained', checkpoint=str(tmp_path / 'neck.pth'))
    module = neck(init_cfg=[*others, pretrained] if others else pretrained)
    module.init_weights()
    assert torch.equal(module.query_key.weight, trained.query_key.weight)
    assert not keys_are_equal(module)


@pytest.mark.parametrize('arguments', [
    dict(),
    dict(window_size=None),
    dict(learnable_constant=True),
    dict(memory_size=1),
    dict(value_channels=None, fusion=dict(type='ReducedGatedFusion')),
    dict(fusion=dict(type='ConcatFusion')),
])
def test_variants_train(arguments):
    module = neck(**arguments).train()
    frames = torch.rand(2, 2, 8, 4, 5)
    out, _ = module(frames[1], module.remember(frames[0]))
    out.square().sum().backward()
    assert [n for n, p in module.named_parameters() if p.grad is None] == []


@torch.no_grad()
def test_one_of_several_features():
    module = neck(in_index=1)
    features = [torch.rand(1, c, 4, 5) for c in (3, 8, 2)]
    out, _ = module(features, module.remember(features))
    assert out[0] is features[0]
    assert out[2] is features[2]
    assert not torch.equal(out[1], features[1])


def test_attention_sums_to_one():
    module, x = neck(), torch.rand(1, 8, 4, 5)
    state = module.remember(x, module.remember(x))
    weights = module.attention(x, state)
    assert weights.shape == (1, 25, 2, 4, 5)
    torch.testing.assert_close(weights.sum((1, 2)), torch.ones(1, 4, 5))


@pytest.mark.parametrize('arguments, says', [
    (dict(memory_size=0), 'memory_size'),
    (dict(window_size=20), 'odd'),
    (dict(window_size=None, learnable_constant=True), 'constant'),
    (dict(value_channels=None, fusion=dict(type='ConcatFusion')), 'twice'),
])
def test_bad_arguments(arguments, says):
    with pytest.raises(ValueError, match=says):
        neck(**arguments)


def test_bad_inputs():
    module = neck()
    state = module.remember(torch.rand(1, 8, 4, 5))
    with pytest.raises(ValueError, match='one batch of streams of one size'):
        module(torch.rand(1, 8, 4, 6), state)
    with pytest.raises(ValueError, match='in_channels is 8'):
        module(torch.rand(1, 9, 4, 5), None)
