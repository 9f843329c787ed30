"""Streams: interleaved, batched, damaged, of changing size."""
import pickle

import cv2
import numpy as np
import pytest
import torch

from rtseg_plugin.apis import BadFrameError, VideoSession, feed_together
from tests import builders

SIZE = (32, 48)


def model_config():
    return dict(
        type='VideoEncoderDecoder',
        data_preprocessor=dict(
            type='VideoSegDataPreProcessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            bgr_to_rgb=True,
            pad_val=0,
            seg_pad_val=255,
            test_cfg=dict(size_divisor=16)),
        backbone=dict(
            type='ERFNetEncoder', num_blocks=1, dilations=(2, ),
            dropout_ratios=(0., 0.)),
        neck=dict(
            type='LocalMemoryAttention', key_channels=4, value_channels=8,
            memory_size=2, window_size=3),
        decode_head=dict(type='ERFNetHead', num_blocks=1, num_classes=5),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'))


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    model = builders.build_model(model_config())
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(2, 3, 3, *SIZE))
        model.eval()
        # no class may win everywhere, else all labels are alike
        logits = model(torch.randn(2, 3, 3, *SIZE))
        model.decode_head.conv_seg.bias -= logits.mean((0, 2, 3))
    assert len(np.unique(feed_all(model, video(0))[1:])) > 2
    return model


def video(seed, length=6, size=SIZE):
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, 256, (length, *size, 3), np.uint8))


def labels(results):
    return [result.labels for result in results]


def feed_all(model, frames, **arguments):
    session = VideoSession(model, **arguments)
    return labels(session.feed(frame) for frame in frames)


def same(one, other):
    assert len(one) == len(other)
    assert all(np.array_equal(a, b) for a, b in zip(one, other))


def test_equals_predict_on_the_clip(model):
    """Through the host's own preprocessing and post-processing."""
    frames = video(0, 3)
    got = feed_all(model, frames)[-1]
    clip = torch.from_numpy(np.stack(frames).transpose(0, 3, 1, 2).copy())
    data = dict(inputs=[clip], data_samples=builders.samples(1, SIZE, 5))
    with torch.no_grad():
        want = model.test_step(data)[0].pred_sem_seg.data[0].numpy()
    np.testing.assert_array_equal(got, want)
    assert got.dtype == np.uint8


def test_interleaved_sessions_equal_separate_ones(model):
    videos = [video(seed) for seed in range(3)]
    separate = [feed_all(model, frames) for frames in videos]
    sessions = [VideoSession(model) for _ in videos]
    interleaved = [[] for _ in videos]
    # in an order that is not round robin
    for i in [0, 0, 1, 2, 1, 0, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 1, 2]:
        frame = videos[i][len(interleaved[i])]
        interleaved[i].append(sessions[i].feed(frame).labels)
    for one, other in zip(interleaved, separate):
        same(one, other)


def test_batched_streams_equal_separate_ones(model):
    """Also when they start at different times, so memories differ."""
    videos = [video(seed) for seed in range(3)]
    separate = [feed_all(model, frames) for frames in videos]
    sessions = [VideoSession(model) for _ in videos]
    got = [[sessions[0].feed(videos[0][0]).labels], [], []]
    forwards = []
    handle = model.backbone.register_forward_hook(
        lambda module, args, out: forwards.append(len(args[0])))
    for _ in range(5):
        frames = [v[len(g)] for v, g in zip(videos, got)]
        for one, result in zip(got, feed_together(sessions, frames)):
            one.append(result.labels)
    handle.remove()
    # memory of the first: 1, 2, 2, ...; of the others 0, 1, 2, 2, ...
    assert forwards == [1, 2, 1, 2, 3, 3, 3]
    got[1].append(sessions[1].feed(videos[1][5]).labels)
    got[2].append(sessions[2].feed(videos[2][5]).labels)
    for one, other in zip(got, separate):
        # another batch size may round differently: no more than a few pixels
        for a, b in zip(one, other):
            assert (a != b).mean() < 1e-3


def test_bad_frames_are_reported_and_the_stream_goes_on(model):
    good = video(0)
    bad = [None, 'text', good[0].astype(np.float32), good[0][..., :2],
           good[0][..., 0], good[0][:0]]
    says = ['dropped', 'not an array', 'float32', 'shape', 'shape', 'shape']
    want = feed_all(model, good)
    for policy in ('hold', 'skip'):
        session = VideoSession(model, on_bad_frame=policy)
        first = session.feed(bad[0])
        assert first.labels is None
        for i, frame in enumerate(good):
            result = session.feed(frame)
            assert result.problem is None
            np.testing.assert_array_equal(result.labels, want[i])
            broken = session.feed(bad[i])
            assert says[i] in broken.problem
            assert broken.index == result.index + 1
            if policy == 'hold':
                assert broken.labels is result.labels
            else:
                assert broken.labels is None
    session = VideoSession(model, on_bad_frame='raise')
    session.feed(good[0])
    with pytest.raises(BadFrameError, match='frame 1 is dropped'):
        session.feed(None)
    np.testing.assert_array_equal(session.feed(good[1]).labels, want[1])


def test_a_bad_frame_does_not_stop_the_others(model):
    """Two bad streams, a good one, and one that holds its frame."""
    policies = ['raise', 'hold', 'raise', 'hold']
    sessions = [VideoSession(model, on_bad_frame=p) for p in policies]
    frames = video(0, 3)
    before = feed_together(sessions, frames[:1] * 4)
    with pytest.raises(BadFrameError) as caught:
        feed_together(sessions, [None, frames[1], 'text', None])
    assert str(caught.value) == (
        'stream 0: frame 1 is dropped: no frame came; '
        'stream 2: frame 1 is not an array but str')
    results = caught.value.results
    want = feed_all(model, frames)
    np.testing.assert_array_equal(results[1].labels, want[1])
    assert results[3].labels is before[3].labels
    assert [r.labels is None for r in results] == [True, False, True, False]
    # all of them count, so that later numbers are right
    after = feed_together(sessions, frames[2:] * 4)
    assert [r.index for r in after] == [2] * 4
    np.testing.assert_array_equal(after[1].labels, want[2])
    assert pickle.loads(pickle.dumps(caught.value)).args[0] == str(
        caught.value)


def test_one_map_is_split_at_the_threshold():
    """Binary heads, as by the host's postprocess_result."""
    torch.manual_seed(0)
    config = model_config()
    config['decode_head'].update(
        num_classes=2, out_channels=1, threshold=0.6,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))
    model = builders.build_model(config).eval()
    frame = video(0, 1)[0]
    data = dict(
        inputs=[torch.from_numpy(frame.transpose(2, 0, 1).copy())],
        data_samples=builders.samples(1, SIZE, 2))
    with torch.no_grad():
        bias = model.decode_head.conv_seg.bias
        logits = model(model.data_preprocessor(data)['inputs'])
        bias += np.log(0.6 / 0.4) - logits.median()
        want = model.test_step(data)[0].pred_sem_seg.data[0].numpy()
    got = VideoSession(model).feed(frame).labels
    np.testing.assert_array_equal(got, want)
    assert got.dtype == np.uint8
    assert 0.2 < got.mean() < 0.8


def test_size_change_raises_and_nothing_is_fed(model):
    session, other = VideoSession(model), VideoSession(model)
    frames = video(0, 2)
    session.feed(frames[0])
    state = session.state
    with pytest.raises(ValueError, match='start a new session'):
        feed_together([other, session], [frames[0], video(1, 1, (40, 48))[0]])
    assert session.state is state
    assert other.state is None
    session.feed(frames[1])


def test_state_is_bounded(model):
    session, sizes = VideoSession(model), set()
    for i, frame in enumerate(video(0, 60, (16, 16))):
        session.feed(frame)
        if i > 1:
            sizes.add(tuple(tuple(x.shape) for x in session.state))
    assert sizes == {((1, 2, 4, 2, 2), (1, 2, 8, 2, 2))}


def test_stride_remembers_every_other_frame(model):
    frames = video(0, 5)
    session = VideoSession(model, stride=2)
    states = []
    for frame in frames:
        session.feed(frame)
        states.append(session.state)
    # what frame 4 has seen is frames 0 and 2
    only = VideoSession(model)
    for frame in (frames[0], frames[2]):
        only.feed(frame)
    assert states[1] is states[0]
    for got, want in zip(states[3], only.state):
        assert torch.equal(got, want)


def test_restart_after(model):
    frames = video(0, 6)
    got = feed_all(model, frames, restart_after=3)
    same(got, feed_all(model, frames[:3]) + feed_all(model, frames[3:]))


def test_work_size_and_padding(model):
    """Odd sizes are padded by the preprocessor; labels have the frame's."""
    frames = video(0, 2, (45, 70))
    assert feed_all(model, frames)[1].shape == (45, 70)
    small = feed_all(model, frames, size=(32, 48))
    want = feed_all(model, [cv2.resize(f, (48, 32)) for f in frames])
    same(small, [
        cv2.resize(x, (70, 45), interpolation=cv2.INTER_NEAREST) for x in want
    ])


def test_streams_resize_as_their_session_says(model):
    frames = video(0, 2, (64, 96))
    separate = [feed_all(model, frames, size=SIZE, backend=backend)
                for backend in ('cv2', 'pillow')]
    assert not np.array_equal(separate[0][1], separate[1][1])
    sessions = [VideoSession(model, size=SIZE, backend=backend)
                for backend in ('cv2', 'pillow')]
    together = [labels(feed_together(sessions, [f, f])) for f in frames]
    for one, other in zip(zip(*together), separate):
        same(one, other)


def test_bad_arguments(model):
    for arguments in (dict(stride=0), dict(on_bad_frame='stop'),
                      dict(restart_after=0), dict(backend='pil'),
                      dict(interpolation='area', backend='pillow')):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            VideoSession(model, **arguments)
    with pytest.raises(TypeError, match='VideoEncoderDecoder'):
        VideoSession(torch.nn.Identity())
    session = VideoSession(model)
    with pytest.raises(ValueError, match='named twice'):
        feed_together([session, session], video(0, 2))
    with pytest.raises(ValueError, match='1 sessions but 2'):
        feed_together([session], video(0, 2))
    model.train()
    try:
        with pytest.raises(ValueError, match='training mode'):
            VideoSession(model)
    finally:
        model.eval()


def write_config(path, **resize):
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=(48, 32), keep_ratio=True, **resize)
    ]
    path.write_text(
        "custom_imports = dict(imports=['rtseg_plugin'])\n"
        "default_scope = 'mmseg'\n"
        f'model = {model_config()}\ntest_pipeline = {pipeline}\n'
        "test_dataloader = dict(dataset=dict(type='CityscapesDataset'))\n")
    return path


def test_views_with_negative_strides_are_frames(model):
    frames = video(0, 3)
    turned = [frame[:, ::-1, ::-1] for frame in frames]
    same(feed_all(model, turned),
         feed_all(model, [frame.copy() for frame in turned]))


def test_an_error_of_the_network_leaves_every_session_unfed(model):
    """Also those whose forward had gone well before."""
    sessions = [VideoSession(model), VideoSession(model, size=(16, 16))]
    frames = video(0, 2)
    feed_together(sessions, [frames[0]] * 2)
    states = [session.state for session in sessions]
    forwards = []

    def breaks(module, args):
        forwards.append(args[0].shape)
        if len(forwards) == 2:
            raise RuntimeError('out of memory')

    handle = model.backbone.register_forward_pre_hook(breaks)
    with pytest.raises(RuntimeError, match='out of memory'):
        feed_together(sessions, [frames[1]] * 2)
    handle.remove()
    assert len(forwards) == 2
    for session, state in zip(sessions, states):
        assert session.state is state
    results = feed_together(sessions, [frames[1]] * 2)
    assert [r.index for r in results] == [1, 1]
    same([results[0].labels], [feed_all(model, frames)[1]])


def test_more_classes_than_a_byte_holds():
    """int64 labels, at another work size too."""
    torch.manual_seed(0)
    config = model_config()
    config['decode_head']['num_classes'] = 300
    model = builders.build_model(config).eval()
    with torch.no_grad():
        model.decode_head.conv_seg.bias[290] += 100
    for size in (None, (16, 16)):
        got = VideoSession(model, size=size).feed(video(0, 1)[0]).labels
        assert got.dtype == np.int64
        assert got.shape == SIZE
        assert (got == 290).all()
