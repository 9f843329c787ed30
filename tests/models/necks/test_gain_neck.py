import pytest
import torch

from rtseg_plugin.models.necks import GAINeck

CHANNELS = (4, 6, 8, 10)


def pyramid(height=32, width=48, batch=2, channels=CHANNELS):
    torch.manual_seed(0)
    return [
        torch.randn(batch, c, -(-height // stride), -(-width // stride))
        for c, stride in zip(channels, (4, 8, 16, 32))
    ]


@pytest.mark.parametrize('size', [(32, 64), (33, 65), (95, 31)])
@pytest.mark.parametrize('guide', [0, 1, 2])
def test_coarser_features_come_to_the_guides_size(guide, size):
    inputs = pyramid(*size)
    outs = GAINeck(CHANNELS, channels=16, guide_index=guide).eval()(inputs)
    for i, (out, feature) in enumerate(zip(outs, inputs)):
        assert out.shape[:2] == (2, 16)
        assert out.shape[2:] == inputs[min(i, guide)].shape[2:]
        assert out.shape[2] >= feature.shape[2]


@torch.no_grad()
def test_what_passes_and_what_is_interpolated():
    neck = GAINeck(
        CHANNELS,
        channels=16,
        guide_index=1,
        context=dict(type='GlobalAverageContext'),
        num_contexts=2).eval()
    inputs = pyramid()
    outs = neck(inputs)
    laterals = [f(x) for f, x in zip(neck.laterals, inputs)]
    torch.testing.assert_close(outs[0], laterals[0])
    torch.testing.assert_close(outs[1], laterals[1])
    for i in (0, 1):
        want = neck.interpolations[i](laterals[1],
                                      neck.contexts[i](laterals[2 + i]))
        torch.testing.assert_close(outs[2 + i], want)


@torch.no_grad()
def test_a_choice_of_the_backbones_features():
    whole = GAINeck(CHANNELS[1:], channels=16).eval()
    chosen = GAINeck(CHANNELS[1:], channels=16, in_indices=(1, 2, 3)).eval()
    chosen.load_state_dict(whole.state_dict())
    inputs = pyramid()
    for a, b in zip(whole(inputs[1:]), chosen(inputs)):
        torch.testing.assert_close(a, b)


def test_a_variant_is_a_line_of_config():
    neck = GAINeck(
        CHANNELS,
        channels=16,
        interpolation=dict(
            type='GuideQueryInterpolation',
            attention=dict(type='GuidedCrissCrossAttention', recurrence=3)),
        context=dict(type='PyramidPoolingContext', bins=(1, 2)))
    assert len(neck.interpolations) == 3
    assert neck.interpolations[0].attention.recurrence == 3
    assert len(neck.contexts) == 1
    assert neck.contexts[0].bins == (1, 2)


@pytest.mark.parametrize('config, match', [
    (dict(guide_index=3), '0 to 2'),
    (dict(guide_index=-1), '0 to 2'),
    (dict(in_indices=(0, 1)), 'each of 4'),
    (dict(context=dict(type='GlobalAverageContext'), num_contexts=4),
     '1 to 3'),
])
def test_bad_arguments(config, match):
    with pytest.raises(ValueError, match=match):
        GAINeck(CHANNELS, channels=16, **config)


def test_a_pyramid_of_other_channels_is_refused():
    with pytest.raises(ValueError, match=r'\(4, 6, 8, 10\).*\(4, 6, 8\)'):
        GAINeck(CHANNELS, channels=16)(pyramid()[:3])
