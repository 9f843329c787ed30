"""Clips, streams and images through one path."""
import weakref

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS

from rtseg_plugin.datasets import PackClipInputs, RelabelPixels
from tests import builders

SIZE = (32, 40)


def config(**model):
    cfg = dict(
        type='VideoEncoderDecoder',
        backbone=dict(
            type='ERFNetEncoder', num_blocks=1, dilations=(2, ),
            dropout_ratios=(0., 0.)),
        neck=dict(
            type='LocalMemoryAttention',
            key_channels=4,
            value_channels=8,
            memory_size=2,
            window_size=3),
        decode_head=dict(
            type='ERFNetHead',
            num_blocks=1,
            num_classes=5,
            align_corners=False),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'))
    cfg.update(model)
    return cfg


def build(**model):
    torch.manual_seed(0)
    model = builders.build_model(config(**model))
    # running statistics of a network that has seen something
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(2, 3, 3, *SIZE))
    return model.eval()


@pytest.fixture(scope='module')
def model():
    return build()


@pytest.fixture(scope='module')
def clip():
    return torch.randn(2, 5, 3, *SIZE, generator=torch.manual_seed(1))


def stream(model, clip):
    logits, state = [], None
    for frame in clip.unbind(1):
        one, state = model.step(frame, state)
        logits.append(one)
    return logits, state


@torch.no_grad()
def test_clip_equals_stream(model, clip):
    """1e-5 relative, float32."""
    logits, state = stream(model, clip)
    metas = [dict(img_shape=clip.shape[-2:])] * 2
    torch.testing.assert_close(
        model.encode_decode(clip, metas), logits[-1], rtol=1e-5, atol=1e-5)
    every, after = model.run_clip(clip, every=True)
    assert len(every) == 5
    for features, want in zip(every, logits):
        got = model.decode_head.predict(features, metas, None)
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)
    for got, want in zip(after, state):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)
    # the memory has been of consequence
    assert not torch.allclose(model.step(clip[:, -1])[0], logits[-1])


@torch.no_grad()
def test_streams_interleave(model, clip):
    separate = [stream(model, one.unsqueeze(0))[0] for one in clip]
    states = [None, None]
    for t in range(5):
        for i in range(2):
            logits, states[i] = model.step(clip[i:i + 1, t], states[i])
            assert torch.equal(logits, separate[i][t])


@torch.no_grad()
def test_nothing_is_kept_and_state_is_bounded(model):
    before = {k: v.clone() for k, v in model.state_dict().items()}
    attributes = {
        name: set(vars(module)) for name, module in model.named_modules()
    }
    state = None
    generator = torch.manual_seed(2)
    for t in range(200):
        frame = torch.randn(1, 3, 8, 8, generator=generator)
        _, state = model.step(frame, state)
        if t > 0:
            assert [tuple(x.shape) for x in state] == [(1, 2, 4, 1, 1),
                                                       (1, 2, 8, 1, 1)]
    after = model.state_dict()
    assert all(torch.equal(after[k], v) for k, v in before.items())
    assert attributes == {
        name: set(vars(module)) for name, module in model.named_modules()
    }


@torch.no_grad()
def test_an_image_is_a_clip_of_one(model, clip):
    image = clip[:, 0]
    first = model.step(image)[0]
    assert torch.equal(model(image), model(image.unsqueeze(1)))
    results = model.predict(image)
    assert torch.equal(results[0].seg_logits.data, first[0])


def test_loss_supervises_the_last_frame(clip):
    model = build().train()
    samples = builders.samples(2, SIZE, 5)
    losses = model.loss(clip, samples)
    assert set(losses) == {'decode.loss_ce', 'decode.acc_seg'}
    losses['decode.loss_ce'].backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize('frames', [1, 2])
def test_every_parameter_of_a_memory_gets_a_gradient(clip, frames):
    """DDP waits for all; a clip of one frame reads no memory."""
    model = build().train()
    losses = model.loss(clip[:, :frames], builders.samples(2, SIZE, 5))
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    without = [name for name, parameter in model.neck.named_parameters()
               if parameter.grad is None]
    assert not without


def test_loss_of_every_labelled_frame(clip):
    model = build(decode_all=True)
    samples = builders.samples(2, SIZE, 5)
    labels = torch.full((2, 5, *SIZE), 255)
    labels[:, 1] = 1
    labels[:, 4] = torch.stack([s.gt_sem_seg.data[0] for s in samples])
    for sample, label in zip(samples, labels):
        sample.clip_gt_sem_seg = PixelData(data=label)
    with torch.no_grad():
        got = model.loss(clip, samples)['decode.loss_ce']
        model.decode_all = False
        last = model.loss(clip, samples)['decode.loss_ce']
        for sample, label in zip(samples, labels):
            sample.gt_sem_seg = PixelData(data=label[1:2])
        second = model.loss(clip[:, :2], samples)['decode.loss_ce']
    torch.testing.assert_close(got, (last + second) / 2)


@torch.no_grad()
def test_loss_where_some_clips_have_one_label(clip):
    """They count as clips whose other frames are void."""
    model = build(decode_all=True)
    samples = builders.samples(2, SIZE, 5)
    labels = torch.full((2, 5, *SIZE), 255)
    labels[0, 2] = 1
    labels[:, 4] = torch.stack([s.gt_sem_seg.data[0] for s in samples])
    samples[0].clip_gt_sem_seg = PixelData(data=labels[0])
    got = model.loss(clip, samples)['decode.loss_ce']
    samples[1].clip_gt_sem_seg = PixelData(data=labels[1])
    want = model.loss(clip, samples)['decode.loss_ce']
    torch.testing.assert_close(got, want)


def test_every_parameter_of_a_memory_where_the_first_frame_alone_counts(clip):
    """It has not read the memory yet."""
    model = build(decode_all=True).train()
    label = np.zeros(SIZE, np.uint8)
    void = np.full(SIZE, 255, np.uint8)
    samples = [pack([label, None, None, None, void]) for _ in range(2)]
    losses = model.loss(clip, samples)
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert all(p.grad is not None for p in model.neck.parameters())


def pack(labels):
    """A data sample of what a pipeline with 20 maps makes of labels."""
    results = dict(
        img=[np.zeros((*SIZE, 3), np.uint8) for _ in labels],
        gt_seg_map=labels,
        seg_fields=['gt_seg_map'],
        img_shape=SIZE,
        ori_shape=SIZE)
    results = RelabelPixels(old=255, new=4)(results)
    return PackClipInputs()(results)['data_samples']


@torch.no_grad()
def test_loss_of_partly_labelled_clips_with_another_ignore_index(clip):
    """Frames without a label are left out, pixel by pixel of the batch."""
    head = dict(config()['decode_head'], ignore_index=4)
    model = build(decode_all=True, decode_head=head)
    rng = np.random.default_rng(0)
    one, two, three = rng.integers(0, 4, (3, *SIZE), dtype=np.uint8)
    one[:5] = 255
    samples = [
        pack([None, one, None, None, two]),
        pack([None, None, None, three, None])
    ]
    # as VideoSegDataPreProcessor pads with seg_pad_val=4
    for sample in samples:
        sample.clip_gt_sem_seg.data[..., -3:] = 4
    got = model.loss(clip, samples)['decode.loss_ce']
    logits = torch.stack(stream(model, clip)[0], 1)
    logits = logits.log_softmax(2)
    want = 0
    for n, t, label in ((0, 1, one), (1, 3, three), (0, 4, two)):
        label = torch.from_numpy(label).long()
        known = label < 4
        known[:, -3:] = False
        label = label.clamp(max=3).unsqueeze(0)
        # the host divides by all pixels of the batch
        want -= logits[n, t].gather(0, label)[0][known].sum() / (
            3 * 2 * label.numel())
    torch.testing.assert_close(got, want)


def test_a_batch_of_void_only_trains_on_nothing(clip):
    """As it does with images: a crop may hold no class at all."""
    model = build(decode_all=True).train()
    void = np.full(SIZE, 255, np.uint8)
    samples = [pack([void, None, None, None, void]) for _ in range(2)]
    for sample in samples:
        sample.clip_gt_sem_seg.data[:] = 255  # pack() makes 4 of it
        assert sample.labelled == [True, False, False, False, True]
    losses = model.loss(clip, samples)
    assert losses['decode.loss_ce'] == 0
    losses['decode.loss_ce'].backward()


@torch.no_grad()
def test_predict_holds_the_features_of_one_frame(clip):
    model, features, alive = build(decode_all=True), [], []
    model.backbone.register_forward_hook(
        lambda module, args, out: features.append(weakref.ref(out[-1])))
    model.backbone.register_forward_pre_hook(
        lambda module, args: alive.append(
            sum(x() is not None for x in features)))
    model.predict(clip)
    assert alive == [0] * 5


@torch.no_grad()
def test_predict_every_frame(model, clip):
    every = build(decode_all=True)
    samples = builders.samples(2, SIZE, 5)
    results = every.predict(clip, samples)
    logits = stream(every, clip)[0]
    for i, result in enumerate(results):
        assert result.clip_pred_sem_seg.data.shape == (5, *SIZE)
        assert torch.equal(result.pred_sem_seg.data[0],
                           result.clip_pred_sem_seg.data[-1])
        for t in range(5):
            assert torch.equal(result.clip_pred_sem_seg.data[t],
                               logits[t][i].argmax(0))


@torch.no_grad()
def test_fold_time(model, clip):
    """One batch of T frames in eval mode; statistics differ in training."""
    folded = build(fold_time=True)
    folded.load_state_dict(model.state_dict())
    torch.testing.assert_close(folded(clip), model(clip), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_encoder_statistics_are_per_frame(clip):
    one, two = build().train(), build().train()
    one(clip)
    for frame in clip.unbind(1):
        two.backbone(frame)
    for got, want in zip(one.backbone.buffers(), two.backbone.buffers()):
        torch.testing.assert_close(got, want)


@torch.no_grad()
@pytest.mark.parametrize('neck', [
    None,
    dict(type='FPN', in_channels=[16, 64, 128], out_channels=128, num_outs=3)
])
def test_without_state_frames_stand_alone(neck, clip):
    model = build(neck=neck)
    assert not model.stateful
    logits, state = model.step(clip[:, 4])
    assert state is None
    metas = [dict(img_shape=clip.shape[-2:])] * 2
    torch.testing.assert_close(model.encode_decode(clip, metas), logits)


def test_memory_on_stock_pidnet():
    """Its backbone returns a tuple in training and one tensor otherwise."""
    cfg = dict(
        type='VideoEncoderDecoder',
        backbone=dict(
            type='PIDNet', in_channels=3, channels=8, ppm_channels=24,
            num_stem_blocks=1, num_branch_blocks=1, align_corners=False,
            norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU')),
        neck=dict(
            type='LocalMemoryAttention', in_channels=32, value_channels=8,
            in_index=1, window_size=3),
        decode_head=dict(
            type='PIDHead', in_channels=32, channels=16, num_classes=5,
            norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'),
            align_corners=False,
            loss_decode=[
                dict(type='CrossEntropyLoss', loss_weight=0.4),
                dict(type='OhemCrossEntropy', thres=0.9, min_kept=100),
                dict(type='BoundaryLoss', loss_weight=20.0),
                dict(type='OhemCrossEntropy', thres=0.9, min_kept=100)
            ]))
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    clip = torch.randn(2, 3, 3, 64, 64)
    samples = builders.samples(2, (64, 64), 5)
    for sample in samples:
        sample.gt_edge_map = PixelData(data=sample.gt_sem_seg.data % 2)
    losses = model.train().loss(clip, samples)
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []
    logits, state = model.eval().step(clip[:, 0])
    assert model.step(clip[:, 1], state)[0].shape == (2, 5, 64, 64)


def test_errors(model, clip):
    with pytest.raises(ValueError, match='a step takes frames'):
        model.step(clip)
    with pytest.raises(ValueError, match='T > 0'):
        model(clip[:, :0])
    sliding = build(
        test_cfg=dict(mode='slide', crop_size=(16, 16), stride=(8, 8)))
    for run in (lambda: sliding.predict(clip),
                lambda: sliding.step(clip[:, 0])):
        with pytest.raises(ValueError, match='whole'):
            run()
    sliding.decode_all = True
    with pytest.raises(ValueError, match='whole'):
        sliding.predict(clip)
