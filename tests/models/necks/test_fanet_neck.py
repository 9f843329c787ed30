import pytest
import torch
from mmseg.registry import MODELS
from torch.nn import functional as F

from rtseg_plugin.models.necks import (
    FastAttentionNeck,
    TemporalFastAttentionNeck,
)

CHANNELS = (8, 16, 32, 64)
SIZES = ((13, 16), (7, 8), (4, 4), (2, 2))


def features(seed=0, batch=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(batch, c, *size, generator=generator).to(dtype)
        for c, size in zip(CHANNELS, SIZES)
    ]


def temporal_neck(num_frames):
    torch.manual_seed(0)
    neck = TemporalFastAttentionNeck(
        num_frames, CHANNELS, attention=dict(
            type='FastAttention', query_channels=4))
    neck.init_weights()
    return neck.eval()


def image_neck(**arguments):
    torch.manual_seed(0)
    neck = FastAttentionNeck(
        CHANNELS,
        attention=dict(type='FastAttention', query_channels=4),
        **arguments)
    neck.init_weights()
    return neck.eval()


@pytest.mark.parametrize('out_indices', [(0, 2), (0, ), (1, 3), (3, )])
def test_every_parameter_is_used(out_indices):
    neck = image_neck(out_channels=24, out_indices=out_indices).train()
    outs = neck(features())
    want = [(24, *SIZES[i]) for i in out_indices] + [(64, 2, 2)]
    assert [tuple(out.shape[1:]) for out in outs] == want
    sum(out.square().sum() for out in outs[:-1]).backward()
    assert [n for n, p in neck.named_parameters() if p.grad is None] == []


def test_parameters():
    # measured on the official network, less its three dead convolutions
    neck = FastAttentionNeck()
    dead = 512 * 128 * 9 + 128 * 128 * 9 + 64 * 32 + 2 * (128 + 128 + 32)
    assert sum(p.numel() for p in neck.parameters()) + dead == (
        1280896 + 476800 + 197632 + 88768)


def test_any_pyramid():
    # channels that are no powers of two, as of a MobileNetV2
    neck = FastAttentionNeck((24, 32, 96), out_channels=16, out_indices=(0, ))
    outs = neck([
        torch.randn(2, 24, 9, 9),
        torch.randn(2, 32, 5, 5),
        torch.randn(2, 96, 3, 3)
    ])
    assert outs[0].shape == (2, 16, 9, 9)


def test_initial_weights():
    for name, tensor in image_neck().named_parameters():
        if name.endswith('conv.weight') and tensor.numel() > 2000:
            fan_in = tensor[0].numel()
            # standard deviation of a sample of over 2000
            assert tensor.std().item() == pytest.approx(
                fan_in**-0.5, rel=0.1)


@torch.no_grad()
def test_autocast():
    neck = image_neck()
    want = neck(features())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        outs = neck([feat.bfloat16() for feat in features()])
    for out, expected in zip(outs, want):
        # bfloat16 has 8 bits; a cascade of ten layers
        assert (out - expected).abs().max() < 0.05 * expected.abs().max()


@pytest.mark.parametrize('arguments, message', [
    (dict(out_indices=(2, 0)), 'ascending'),
    (dict(out_indices=(0, 4)), 'within 0 to 3'),
    (dict(out_indices=()), 'out_indices'),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        FastAttentionNeck(**arguments)


def test_bad_features():
    with pytest.raises(ValueError, match=r'\(8, 16, 32, 64\), the features '
                       r'have \(8, 16, 32\)'):
        image_neck()(features()[:3])


@torch.no_grad()
def test_one_frame_is_the_image_network():
    image, video = image_neck(), temporal_neck(1)
    video.load_state_dict(image.state_dict(), strict=True)
    state = None
    for seed in range(3):
        feats = features(seed)
        outs, state = video(feats, state)
        for out, want in zip(outs, image(feats)):
            assert torch.equal(out, want)
        assert state.products.numel() == 0


@torch.no_grad()
def test_first_frame_is_the_image_network():
    image, video = image_neck(), temporal_neck(3)
    video.load_state_dict(image.state_dict(), strict=True)
    for out, want in zip(video(features())[0], image(features())):
        assert torch.equal(out, want)


@torch.no_grad()
@pytest.mark.parametrize('num_frames', [2, 4])
@pytest.mark.parametrize('mean', [False, True])
def test_streaming_is_equation_5(num_frames, mean):
    neck = temporal_neck(num_frames).double()
    if mean:
        for stage in neck.stages.values():
            stage.attention.divide_by_positions = True
    clip = [features(seed, dtype=torch.double) for seed in range(7)]

    def flat(layer, x):  # (N, P, channels)
        return layer(x).flatten(2).transpose(1, 2)

    state = None
    for now, feats in enumerate(clip):
        outs, state = neck(feats, state)
        attended = []
        for i, x in enumerate(feats):
            attention = neck.stages[str(i)].attention
            query = F.normalize(flat(attention.query, x), dim=2)
            total = 0
            for past in clip[max(now - num_frames + 1, 0):now + 1]:
                key = F.normalize(flat(attention.key, past[i]), dim=2)
                value = flat(attention.value, past[i])
                total = total + query @ key.transpose(1, 2) @ value
            if mean:
                total = total / x[0, 0].numel()
            attended.append(total.transpose(1, 2).reshape(x.shape))
        for out, want in zip(outs, neck._cascade(feats, attended)):
            torch.testing.assert_close(out, want)


def test_state_of_the_published_network():
    neck = TemporalFastAttentionNeck().eval()
    with torch.no_grad():
        _, state = neck([
            torch.randn(1, 64 * 2**i, 8 // 2**i, 8 // 2**i) for i in range(4)
        ])
    assert state.products.numel() == 30720


@torch.no_grad()
def test_image_checkpoint_in_the_video_segmentor():
    parts = dict(
        backbone=dict(type='FANetResNet', base_channels=8),
        decode_head=dict(
            type='FANetHead', in_channels=(16, 16), channels=16,
            num_classes=5))
    arguments = dict(in_channels=CHANNELS, out_channels=16)
    image = MODELS.build(
        dict(
            type='mmseg.EncoderDecoder',
            neck=dict(type='FastAttentionNeck', **arguments),
            **parts)).eval()
    video = MODELS.build(
        dict(
            type='VideoEncoderDecoder',
            neck=dict(type='TemporalFastAttentionNeck', **arguments),
            **parts)).eval()
    video.load_state_dict(image.state_dict(), strict=True)
    clip = torch.randn(1, 3, 3, 64, 96)
    metas = [dict(img_shape=(64, 96))]
    first, state = video.step(clip[:, 0])
    assert torch.equal(first, image.encode_decode(clip[:, 0], metas))
    for frame in (1, 2):
        logits, state = video.step(clip[:, frame], state)
    assert (logits - image.encode_decode(clip[:, 2], metas)).abs().max() > 0.01
    # the clip takes the neck's short way for frames that are not decoded
    torch.testing.assert_close(video.encode_decode(clip, metas), logits)


def test_gradient_reaches_the_past():
    neck = temporal_neck(2).train()
    past = [feat.requires_grad_() for feat in features(0)]
    _, state = neck(past)
    outs, _ = neck(features(1), state)
    outs[0].sum().backward()
    assert all(feat.grad.abs().sum() > 0 for feat in past)


def test_foreign_state_and_attention():
    neck = temporal_neck(2)
    _, state = neck(features(batch=1))
    with pytest.raises(ValueError, match='one batch of streams'):
        neck(features(batch=2), state)
    with pytest.raises(ValueError, match='NoAttention has no product'):
        TemporalFastAttentionNeck(attention=dict(type='NoAttention'))
    with pytest.raises(ValueError, match='num_frames'):
        TemporalFastAttentionNeck(num_frames=0)
