"""What every registered class keeps to, by its role.

Classes are found in the registry: a new one is tested the moment that it is
registered, and asks for an entry in ``EXAMPLES`` if its defaults do not build.
"""
import inspect

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn
from torch.utils._pytree import tree_leaves

import rtseg_plugin  # noqa: F401
from tests.builders import CONFIGS, build_model, load_config

ROOM = 'rtseg_plugin.models.'
CLASSES = {
    name: cls
    for name, cls in MODELS.module_dict.items()
    if cls.__module__.startswith(ROOM)
}

# smaller or, where a class has no defaults, some that build
EXAMPLES = dict(
    DFNet=dict(out_indices=(0, 1, 2, 3)),
    FANetResNet=dict(base_channels=8),
    GAINResNet=dict(base_channels=8, stem_channels=16),
    RTFormer=dict(drop_path_rate=0.),
    SCTNet=dict(drop_path_rate=0.),
    ERFNetHead=dict(in_channels=16, stage_channels=(8, ), channels=4),
    FANetHead=dict(in_channels=(8, 16), channels=8),
    FANetAuxiliaryHead=dict(in_channels=8, channels=8, smooth_channels=8),
    GAINAuxiliaryHead=dict(in_channels=8, channels=8),
    GAINHead=dict(in_channels=[4, 8, 8], channels=8),
    GAINLightHead=dict(in_channels=[8, 8], channels=8),
    SCTHead=dict(in_channels=8, channels=8),
    LocalMemoryAttention=dict(
        in_channels=8, key_channels=4, value_channels=4, window_size=5,
        memory_size=5),
    TemporalFastAttentionNeck=dict(
        in_channels=(8, 16, 32, 64), out_channels=8, num_frames=5,
        attention=dict(type='FastAttention', query_channels=4)),
    FastAttentionNeck=dict(in_channels=(8, 16, 32, 64), out_channels=8),
    GAINeck=dict(in_channels=(8, 16, 32, 64), channels=16),
    VariationalInformationLoss=dict(channels=4),
    HardExampleCrossEntropyLoss=dict(min_kept_per_image=10),
    ClassWeightedCrossEntropyLoss=dict(class_weight=(1., 2., 0., .5)),
)


def of(role):
    """Names of the classes in a folder of the models."""
    return sorted(
        name for name, cls in CLASSES.items()
        if cls.__module__.startswith(f'{ROOM}{role}.'))


BACKBONES, NECKS, HEADS, LOSSES = map(
    of, ('backbones', 'necks', 'decode_heads', 'losses'))
STATEFUL = [n for n in NECKS if getattr(CLASSES[n], 'stateful', False)]
PLAIN_NECKS = [n for n in NECKS if n not in STATEFUL]


def build(name, **arguments):
    torch.manual_seed(0)
    return MODELS.build(dict(EXAMPLES.get(name, {}), type=name, **arguments))


def randn(*shape, seed=0, **kwargs):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, **kwargs)


def random_norms(module):
    """Statistics that do something; the module in eval mode."""
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(part.running_mean, std=0.1)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
    return module.eval()


def assert_trained(module):
    """Every parameter has a finite gradient."""
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_all_are_found():
    for found, least in ((BACKBONES, 6), (PLAIN_NECKS, 2), (STATEFUL, 2),
                         (HEADS, 7), (LOSSES, 5), (of('layers'), 30),
                         (of('segmentors'), 2), (of('distillation'), 2)):
        assert len(found) >= least
    assert set(EXAMPLES) <= set(CLASSES)


@pytest.mark.parametrize('name', CLASSES)
def test_a_misspelt_argument_is_an_error(name):
    cls = CLASSES[name]
    if name in HEADS or issubclass(cls, rtseg_plugin.models.
                                   VideoSegDataPreProcessor):
        return  # the host's, to which the rest is passed on
    kinds = {p.kind for p in inspect.signature(cls).parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds


# backbones


def strides_of(backbone, side):
    with torch.no_grad():
        outs = backbone(randn(1, 3, side, 2 * side))
    assert all(out.shape[3] == 2 * out.shape[2] for out in outs)
    return [side // out.shape[2] for out in outs]


@torch.no_grad()
@pytest.mark.parametrize('name', BACKBONES)
def test_backbone_sizes(name):
    backbone = random_norms(build(name))
    stride = backbone.total_stride
    strides = strides_of(backbone, 2 * stride)
    # each halving rounds up, down to the stride itself
    for size in ((2 * stride - 1, 3 * stride + 5), (stride, stride + 1)):
        outs = backbone(randn(1, 3, *size))
        assert isinstance(outs, tuple)
        assert [tuple(out.shape[2:]) for out in outs
                ] == [tuple(-(-side // s) for side in size) for s in strides]
        assert all(out.isfinite().all() for out in outs)
    for size in ((stride - 1, stride), (stride, stride - 1)):
        with pytest.raises(ValueError, match=f'{stride}x{stride} pixels'):
            backbone(randn(1, 3, *size))


@torch.no_grad()
@pytest.mark.parametrize('name', BACKBONES)
def test_backbone_layout_and_batch(name):
    """Channels-last gives the same; nothing mixes the images of a batch."""
    backbone = random_norms(build(name)).double()
    side = max(backbone.total_stride, 32)
    x = randn(2, 3, side, side + 32, dtype=torch.double)
    wanted = backbone(x)
    other = backbone(x.contiguous(memory_format=torch.channels_last))
    alone = [torch.cat(outs) for outs in zip(*map(backbone, x[:, None]))]
    for want, *gots in zip(wanted, other, alone):
        for got in gots:
            torch.testing.assert_close(got, want)


@pytest.mark.parametrize('name', BACKBONES)
def test_backbone_trains(name):
    backbone = build(name)
    assert backbone.train() is backbone
    side = 2 * max(backbone.total_stride, 32)
    outs = backbone(randn(2, 3, side, side))
    sum(out.square().sum() for out in outs).backward()
    assert_trained(backbone)


@torch.no_grad()
@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
@pytest.mark.parametrize('name', BACKBONES)
def test_backbone_traces(name):
    backbone = random_norms(build(name))
    side = 2 * backbone.total_stride
    traced = torch.jit.trace(
        backbone, randn(1, 3, side, side), check_trace=False)
    x = randn(1, 3, side + 9, side + 32, seed=1)
    for got, want in zip(traced(x), backbone(x)):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


# heads


@torch.no_grad()
def strides_of_inputs(head):
    """Of the features that a head takes, as in a model that has it.

    Relative to the finest.
    """
    name = type(head).__name__
    for path in sorted(CONFIGS.glob('_base_/models/*.py')):
        cfg = load_config(path)
        if cfg.model.decode_head.type == name:
            model = build_model(cfg).eval()
            feats = model.extract_feat(torch.zeros(1, 3, 128, 128))
            sides = [feats[i].shape[2] for i in model.decode_head.in_index]
            return [max(sides) // side for side in sides]
    raise AssertionError(f'no config of _base_/models has the head {name}')


def inputs_of(head, size=(9, 14), batch=2):
    """Features that a head takes, at its indices."""
    channels, index = head.in_channels, head.in_index
    if isinstance(channels, int):
        channels, index, strides = [channels], [index], [1]
    else:
        strides = strides_of_inputs(head)
    feats = {
        i % 8: randn(batch, c, *(-(-side // s) for side in size))
        for i, c, s in zip(index, channels, strides)
    }
    # negative indices count from the end
    return [feats.get(i, randn(batch, 1, 1, 1)) for i in range(8)]


@pytest.mark.parametrize('name', HEADS)
def test_head(name):
    head = build(name, num_classes=5)
    inputs = inputs_of(head)
    with torch.no_grad():
        logits = head.eval()(inputs)
        assert logits.shape[:2] == (2, 5)
        factor = logits.shape[2] // 9
        assert logits.shape[2:] == (9 * factor, 14 * factor)
        alone = head([x[:1] for x in inputs])
        torch.testing.assert_close(logits[:1], alone, rtol=1e-4, atol=1e-5)
        metas = [dict(img_shape=(70, 110), pad_shape=(72, 112))] * 2
        assert head.predict(inputs, metas, {}).shape == (2, 5, 72, 112)
    label = torch.randint(0, 5, (1, 72, 112))
    sample = SegDataSample(gt_sem_seg=PixelData(data=label))
    losses = head.train().loss(inputs, [sample] * 2, {})
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert_trained(head)


# necks


def pyramid(neck, seed=0, batch=2, size=8):
    channels = neck.in_channels
    if isinstance(channels, int):
        return randn(batch, channels, size, size + 3, seed=seed)
    return [
        randn(batch, c, size // 2**i or 1, size // 2**i or 1, seed=seed + i)
        for i, c in enumerate(channels)
    ]


def leaves(features):
    return [x for x in tree_leaves(features) if isinstance(x, torch.Tensor)]


@pytest.mark.parametrize('name', PLAIN_NECKS)
def test_neck(name):
    neck = build(name)
    feats = pyramid(neck)
    outs = neck.train()(feats)
    sum(out.square().sum() for out in leaves(outs)).backward()
    assert_trained(neck)
    with torch.no_grad():
        neck = random_norms(neck)
        alone = neck([x[1:] for x in feats])
        for got, want in zip(leaves(alone), leaves(neck(feats))):
            torch.testing.assert_close(got, want[1:], rtol=1e-4, atol=1e-5)


def stream(neck, frames, batch=2, first=0):
    """Outputs and states of a stream of random features."""
    state, outputs = None, []
    for t in range(first, first + frames):
        out, state = neck(pyramid(neck, seed=10 * t, batch=batch), state)
        outputs.append((out, state))
    return outputs


def numbers(state):
    return sum(part.numel() for part in state)


def stateful_configs():
    """One recipe's neck of every type, length and window."""
    found = {}
    for network in ('fanet', 'lmanet'):
        for path in sorted((CONFIGS / network).rglob('*.py')):
            neck = load_config(path.relative_to(CONFIGS)).model.get('neck')
            if neck and neck.type in STATEFUL:
                kind = [neck.get(key) for key in (
                    'type', 'memory_size', 'num_frames', 'window_size')]
                found.setdefault(repr(kind), neck.to_dict())
    return found


@torch.no_grad()
@pytest.mark.parametrize('name', STATEFUL)
def test_state_is_a_tuple_with_the_streams_first(name):
    neck = random_norms(build(name)).double()

    def double(features):
        return [x.double() for x in features] if isinstance(
            features, list) else features.double()

    together = alone = None
    for t in range(8):
        feats = double(pyramid(neck, seed=10 * t, batch=3))
        out, together = neck(feats, together)
        one = [x[1:2] for x in feats] if isinstance(feats, list) else feats[
            1:2]
        out_alone, alone = neck(one, alone)
        assert type(together)._fields
        for part, single in zip(together, alone):
            assert isinstance(part, torch.Tensor)
            assert part.shape[0] == 3
            torch.testing.assert_close(part[1:2], single)
        for got, want in zip(leaves(out_alone), leaves(out)):
            torch.testing.assert_close(got, want[1:2])


@torch.no_grad()
@pytest.mark.parametrize('name', STATEFUL)
def test_state_is_bounded_and_on_the_callers_side(name):
    neck = random_norms(build(name))
    keys = set(neck.state_dict())
    sizes = [numbers(state) for _, state in stream(neck, 20)]
    grows = next(t for t in range(20) if sizes[t] == sizes[-1])
    assert 1 < grows < 10
    assert sizes[:grows + 1] == sorted(set(sizes))
    # what a state keeps alive is its own size, not the whole stream
    _, state = stream(neck, 20)[-1]
    for part in state:
        held = part.untyped_storage().nbytes() // part.element_size()
        assert held <= 2 * part.numel()
    assert set(neck.state_dict()) == keys
    assert not any(
        isinstance(value, torch.Tensor) for module in neck.modules()
        for value in vars(module).values())


@torch.no_grad()
@pytest.mark.parametrize('name', STATEFUL)
def test_remember_is_the_state_of_forward(name):
    neck, remembered = random_norms(build(name)), None
    for t, (_, state) in enumerate(stream(neck, 9)):
        remembered = neck.remember(pyramid(neck, seed=10 * t), remembered)
        for got, want in zip(remembered, state):
            assert torch.equal(got, want)


@torch.no_grad()
@pytest.mark.parametrize('name', STATEFUL)
def test_streams_interleave(name):
    """A clip of one frame, and two streams by turns."""
    neck = random_norms(build(name))
    alone = [stream(neck, 3), stream(neck, 3, first=50)]
    states = [None, None]
    for t in range(3):
        for s, first in enumerate((0, 50)):
            out, states[s] = neck(
                pyramid(neck, seed=10 * (first + t)), states[s])
            for got, want in zip(leaves(out), leaves(alone[s][t][0])):
                assert torch.equal(got, want)
    with pytest.raises(ValueError):
        neck(pyramid(neck, batch=3), states[0])


def test_memories_of_the_recipes_fill():
    """As many frames as a recipe says are read, none are kept beyond."""
    configs = stateful_configs()
    assert len(configs) > 10
    lengths = set()
    for config in configs.values():
        neck = random_norms(MODELS.build(config))
        asked = getattr(neck, 'memory_size', 0) or neck.num_frames - 1
        feats = pyramid(neck, batch=1, size=4)
        state = None
        with torch.no_grad():
            for _ in range(asked + 2):
                state = neck.remember(feats, state)
        assert {part.shape[1] for part in state} == {asked}, config
        lengths.add(asked)
        if config['type'] == 'TemporalFastAttentionNeck' or asked < 4:
            continue
        # the oldest frame is read
        oldest = [
            torch.cat((part[:, :1] + 1, part[:, 1:]), 1) for part in state
        ]
        with torch.no_grad():
            out, _ = neck(feats, state)
            other, _ = neck(feats, type(state)(*oldest))
        assert not torch.equal(out, other), config
    assert max(lengths) >= 19


# losses


@pytest.mark.parametrize('name', LOSSES)
def test_loss(name):
    loss, double = build(name), build(name, loss_weight=2.)
    scores = randn(2, 4, 6, 7).requires_grad_()
    if 'label' in inspect.signature(loss.forward).parameters:
        target = torch.randint(0, 4, (2, 6, 7))
    else:
        target = randn(2, 4, 6, 7, seed=1)
    value = loss(scores, target)
    assert value.shape == ()
    assert value.isfinite()
    torch.testing.assert_close(double(scores, target), 2 * value)
    value.backward()
    assert scores.grad.abs().sum() > 0
    assert_trained(loss)
    # what mmengine adds up has this prefix
    assert loss.loss_name.startswith('loss_')
    # one step downhill
    with torch.no_grad():
        lower = loss(scores - 1e-3 * scores.grad / scores.grad.norm(), target)
    assert lower < value
