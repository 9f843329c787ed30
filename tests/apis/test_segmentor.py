"""The front door: every kind of source, with memory and without."""
import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmseg.datasets import CityscapesDataset

from rtseg_plugin.apis import (
    BadFrameError,
    Segmentor,
    SourceError,
    VideoSession,
    VideoWriter,
    load_segmentor,
)
from rtseg_plugin.apis.recorder import Latency, Recorder
from tests.apis.test_video_session import (
    SIZE,
    model_config,
    video,
    write_config,
)


def image_config():
    """A network without memory: the host's own segmentor type."""
    config = model_config()
    config.pop('neck')
    config['type'] = 'EncoderDecoder'
    config['data_preprocessor']['type'] = 'SegDataPreProcessor'
    return config


@pytest.fixture(scope='module', params=['memory', 'image'])
def segmentor(request, tmp_path_factory):
    path = tmp_path_factory.mktemp('config') / 'config.py'
    write_config(path)
    if request.param == 'image':
        config = Config.fromfile(path)
        config.model = image_config()
        config.dump(path)
    torch.manual_seed(0)
    model = load_segmentor(str(path))
    with torch.no_grad():
        inputs = torch.randn(2, 3, *SIZE)
        model.decode_head.conv_seg.bias -= model(inputs).mean((0, 2, 3))
    checkpoint = path.with_suffix('.pth')
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    return Segmentor(str(path), str(checkpoint), device='cpu')


@pytest.fixture
def frames():
    return video(0, 5, (64, 96))


@pytest.fixture
def folder(tmp_path, frames):
    folder = tmp_path / 'frames'
    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'{i + 7}.png'), frame)
    return folder


def write_clip(path, frames, fps=10):
    writer = VideoWriter(path, frames[0].shape[:2], fps)
    for frame in frames:
        writer.write(frame)
    writer.close()
    return str(path)


def want(segmentor, frames):
    session = VideoSession(segmentor)
    return [session.feed(frame).labels for frame in frames]


def take_all(prediction):
    """Results up to an error, and the error."""
    results = []
    try:
        for result in prediction:
            results.append(result)  # noqa: PERF402
    except Exception as error:
        return results, error
    return results, None


def check(results, expected):
    results = list(results)
    assert [r.index for r in results] == list(range(len(expected)))
    for result, labels in zip(results, expected):
        assert result.problem is None
        np.testing.assert_array_equal(result.labels, labels)
    return results


def test_every_kind_of_source_gives_the_same(segmentor, frames, folder):
    expected = want(segmentor, frames)
    assert len(np.unique(np.stack(expected))) > 1
    files = sorted(folder.iterdir(), key=lambda p: int(p.stem))
    for source in (folder, str(folder), str(folder / '*.png'), files,
                   [str(f) for f in files], frames, np.stack(frames),
                   iter(frames), [frames[0], *files[1:]]):
        check(segmentor.predict(source), expected)
    result, = check(segmentor.predict(files[0]), expected[:1])
    assert result.source == str(files[0])
    check(segmentor.predict(frames[0]), expected[:1])
    assert segmentor.network.stateful == (not np.array_equal(
        next(segmentor.predict(frames[1])).labels, expected[1]))


def test_labels_are_those_of_the_host(segmentor, frames):
    """``test_step`` on a frame of the work size."""
    frame = cv2.resize(frames[0], SIZE[::-1])
    config = Config.fromfile(segmentor.config.filename)
    model = load_segmentor(config, segmentor.checkpoint)
    pipeline = Compose([dict(type='PackSegInputs')])
    packed = pipeline(dict(img=frame, img_shape=SIZE, ori_shape=SIZE))
    with torch.no_grad():
        host = model.test_step(
            dict(inputs=[packed['inputs']],
                 data_samples=[packed['data_samples']]))
    result = next(segmentor.predict(frame))
    same = result.labels == host[0].pred_sem_seg.data[0].numpy()
    assert same.mean() > 0.999  # rounding of fused operations


def test_streams_side_by_side(segmentor, frames, folder, tmp_path):
    clip = write_clip(tmp_path / 'clip.mp4', frames[:3])
    prediction = segmentor.predict([str(folder), clip, np.stack(frames)])
    results = list(prediction)
    assert [(r.stream, r.index) for r in results] == [
        (0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (0, 2), (1, 2),
        (2, 2), (0, 3), (2, 3), (0, 4), (2, 4)
    ]
    expected = want(segmentor, frames)
    for stream in (0, 2):
        for one, labels in zip([r for r in results if r.stream == stream],
                               expected):
            # another batch size may round differently
            assert (one.labels != labels).mean() < 1e-3
    assert [s.ended for s in prediction.streams] == [
        'last file', 'end of file', 'no more arrays']
    assert [s.frames for s in prediction.streams] == [5, 3, 5]
    assert prediction.streams[1].fps == 10
    assert prediction.streams[1].decoder.startswith('PyAV h264 (processor')


def test_streams_of_one_name_have_their_own_stems(segmentor, tmp_path):
    sources = []
    for number, name in enumerate(('a/x', 'b/x', 'x_2', 'c/x')):
        sources.append(tmp_path / name)
        sources[-1].mkdir(parents=True)
        for i, frame in enumerate(video(number, number + 1)):
            cv2.imwrite(str(sources[-1] / f'{i}.png'), frame)
    prediction = segmentor.predict(sources)
    assert [s.stem for s in prediction.streams] == ['x', 'x_3', 'x_2', 'x_4']
    assert len(list(prediction)) == 10
    assert [s.frames for s in prediction.streams] == [1, 2, 3, 4]


def test_result_is_drawn_and_saved(segmentor, frames, tmp_path):
    assert len(segmentor.classes or ()) in (0, 5)
    result = next(segmentor.predict(frames[0]))
    picture = result.overlay()
    colour = result.colours[result.labels].astype(float)
    np.testing.assert_allclose(
        picture, (colour + frames[0]) / 2, atol=0.51)
    result.save(tmp_path / 'new/a.png')
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / 'new/a.png')), picture)
    result.save(tmp_path / 'b.png', 'labels')
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / 'b.png'), cv2.IMREAD_UNCHANGED),
        result.labels)
    many = result._replace(labels=result.labels.astype(np.int64) + 290)
    many.save(tmp_path / 'c.png', 'labels')
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / 'c.png'), cv2.IMREAD_UNCHANGED), many.labels)
    with pytest.raises(ValueError, match='without loss'):
        result.save(tmp_path / 'b.jpg', 'labels')
    with pytest.raises(ValueError, match='overlay'):
        result.save(tmp_path / 'b.png', 'logits')
    with pytest.raises(OSError, match='no format'):
        result.save(tmp_path / 'b.xyz')
    with pytest.raises(ValueError, match='frame 0 has no labels'):
        result._replace(labels=None, problem='dropped').overlay()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        'b.png', 'c.png', 'new']


def test_nothing_runs_ahead_of_the_caller(segmentor, frames):
    """A generator of arrays is asked for one frame at a time."""
    asked = []

    def source():
        for number, frame in enumerate(frames):
            asked.append(number)
            yield frame

    prediction = segmentor.predict(source())
    assert asked == []
    next(prediction)
    assert asked == [0]
    next(prediction)
    assert asked == [0, 1]
    prediction.close()
    assert prediction.streams[0].ended == 'stopped'
    assert list(prediction) == []


def test_max_frames(segmentor, frames, folder):
    prediction = segmentor.predict([folder, np.stack(frames[:1])],
                                   max_frames=2)
    assert [r.stream for r in prediction] == [0, 1, 0]
    assert prediction.streams[0].ended == '2 frames were asked for'


def test_sizes_may_change_where_nothing_is_remembered(segmentor, tmp_path):
    images = [video(0, 1, (64, 96))[0], video(0, 1, (40, 50))[0]]
    prediction = segmentor.predict(images)
    assert next(prediction).labels.shape == (64, 96)
    if not segmentor.network.stateful:
        assert next(prediction).labels.shape == (40, 50)
        return
    # each by itself, nothing is remembered that would have to fit
    alone = list(segmentor.predict(images, restart_after=1))
    for result, image in zip(alone, images):
        np.testing.assert_array_equal(
            result.labels, next(segmentor.predict(image)).labels)
    with pytest.raises(ValueError, match='frame 1 is 40x50, the stream began'):
        next(prediction)
    assert prediction.streams[0].ended.startswith('error: frame 1 is 40x50')
    assert prediction.streams[0].frames == 1


def test_a_stream_that_fails_does_not_stop_the_others(segmentor, frames):
    changes = [frames[0], frames[1][:40]]

    def breaks():
        yield frames[0]
        raise OSError('the cable')

    prediction = segmentor.predict([breaks(), np.stack(frames), iter(changes)])
    results, error = take_all(prediction)
    assert isinstance(error, OSError)
    results = [r.stream for r in results]
    assert results.count(0) == 1
    assert results.count(1) == 5
    assert prediction.streams[1].ended == 'no more arrays'


def test_a_bad_frame_ends_its_stream_alone(segmentor, frames):
    """Under the policy 'raise': nothing good of the others is lost."""
    streams = [[frames[0], None, frames[2]], frames, frames[:2]]
    prediction = segmentor.predict(
        [iter(one) for one in streams], on_bad_frame='raise')
    results, error = take_all(prediction)
    assert isinstance(error, BadFrameError)
    assert str(error) == 'array: frame 1 is dropped: no frame came'
    assert [r.index for r in results if r.stream == 1] == list(range(5))
    counts = [sum(r.stream == i for r in results) for i in range(3)]
    assert counts == [1, 5, 2]
    assert all(r.problem is None for r in results)
    assert [s.ended for s in prediction.streams] == [
        f'error: {error}', 'no more arrays', 'no more arrays']
    alone = segmentor.predict(iter(streams[0]), on_bad_frame='raise')
    results, error = take_all(alone)
    assert (len(results), str(error)) == (
        1, 'array: frame 1 is dropped: no frame came')


def test_a_source_that_gives_nothing_is_an_error(segmentor, tmp_path):
    with pytest.raises(SourceError, match='it gave no frame'):
        list(segmentor.predict(iter([])))
    (tmp_path / 'bad').mkdir()
    for i in range(3):
        (tmp_path / 'bad' / f'{i}.png').write_bytes(b'damaged')
    prediction = segmentor.predict(tmp_path / 'bad')
    results, error = take_all(prediction)
    assert [(r.labels, r.problem) for r in results] == [
        (None, 'no readable image')] * 3
    assert isinstance(error, SourceError)
    assert 'none of its 3 frames' in str(error)
    assert prediction.streams[0].frames == 3


def test_bad_arguments(segmentor, tmp_path):
    config = segmentor.config.filename
    with pytest.raises(FileNotFoundError, match='no folder, no file'):
        segmentor.predict(str(tmp_path / 'absent.mp4'))
    with pytest.raises(FileNotFoundError, match='matches no images'):
        segmentor.predict(str(tmp_path / '*.png'))
    with pytest.raises(TypeError, match='not NoneType'):
        segmentor.predict(None)
    with pytest.raises(ValueError, match='live must be'):
        segmentor.predict(str(config), live='some')
    with pytest.raises(ValueError, match='stride'):
        segmentor.predict('absent', stride=0)
    with pytest.raises(ValueError, match='max_frames must be at least 1'):
        segmentor.predict('absent', max_frames=0)
    with pytest.raises(ValueError, match='list of images is empty'):
        segmentor.predict([])
    with pytest.raises(ValueError, match='export'):
        Segmentor(config, backend='openvino')
    with pytest.raises(ValueError, match='precision'):
        Segmentor(config, precision='int3')
    with pytest.raises(ValueError, match='height and a width'):
        Segmentor(config, size=(0, 5))
    with pytest.raises(FileNotFoundError, match='no recipe'):
        Segmentor('no-such-recipe')


def test_classes_and_colours(tmp_path):
    """Of the checkpoint's meta, else of the config's data set, else none."""
    path = write_config(tmp_path / 'config.py')
    assert Segmentor(path).classes is None  # Cityscapes has 19, this has 5
    assert Segmentor(path).palette is None
    config = Config.fromfile(path)
    names = list('abcde')
    config.test_dataloader.dataset.metainfo = dict(
        classes=names, palette=[[i, 2 * i, 3 * i] for i in range(5)])
    config.dump(path)
    assert Segmentor(path).classes == names
    config.test_dataloader.dataset.metainfo.classes = names[:4]
    config.test_dataloader.dataset.metainfo.palette = [[9, 9, 9]] * 4
    config.dump(path)  # one map more than classes, as ERFNet's official code
    assert Segmentor(path).classes == [*names[:4], 'unlabelled']
    assert Segmentor(path).palette == [*[[9, 9, 9]] * 4, [0, 0, 0]]
    config.test_dataloader.dataset.metainfo.classes = names
    config.test_dataloader.dataset.metainfo.palette = [
        [i, 2 * i, 3 * i] for i in range(5)
    ]
    config.dump(path)
    # some of the classes of Cityscapes, in another order, as the host does
    some = ['car', 'road', 'sky', 'train', 'wall']
    config.test_dataloader.dataset.metainfo = dict(classes=some)
    config.dump(path)
    host = CityscapesDataset(metainfo=dict(classes=some), lazy_init=True)
    assert Segmentor(path).palette == host.metainfo['palette']
    assert Segmentor(path).classes == some
    config.test_dataloader.dataset.metainfo = dict(
        classes=names, palette=[[i, 2 * i, 3 * i] for i in range(5)])
    config.dump(path)
    meta = dict(dataset_meta=dict(classes=list('vwxyz'), palette=None))
    checkpoint = str(tmp_path / 'a.pth')
    torch.save(dict(state_dict=load_segmentor(path).state_dict(), meta=meta),
               checkpoint)
    segmentor = Segmentor(path, checkpoint)
    assert segmentor.classes == list('vwxyz')
    assert segmentor.palette is None
    result = next(Segmentor(path).predict(video(0, 1)[0]))
    assert result.colours[2].tolist() == [6, 4, 2]


@pytest.mark.parametrize('resize', [
    dict(backend='pillow'),
    dict(backend='pillow', interpolation='box'),
    dict(backend='cv2', interpolation='nearest'),
    dict(backend='cv2', interpolation='area'),
])
def test_frames_are_resized_as_in_the_test_pipeline(tmp_path, resize):
    """What the network sees of 100x147 at a third of it, bit by bit."""
    segmentor = Segmentor(write_config(tmp_path / 'config.py', **resize))
    cv2.imwrite(str(tmp_path / 'frame.png'), video(0, 1, (100, 147))[0])
    pipeline = Compose([
        *segmentor.config.test_pipeline, dict(type='PackSegInputs')
    ])
    packed = pipeline(dict(img_path=str(tmp_path / 'frame.png')))
    assert packed['inputs'].shape == (3, 32, 47)
    seen = []
    step = segmentor.network.step_together
    segmentor.network.step_together = lambda f, s: (seen.append(f[0]),
                                                    step(f, s))[1]
    list(segmentor.predict(tmp_path / 'frame.png'))
    np.testing.assert_array_equal(
        seen[0].transpose(2, 0, 1), packed['inputs'].numpy())


def record(segmentor, source, out, predict=dict(), **arguments):
    prediction = segmentor.predict(source, **predict)
    recorder = Recorder(prediction.streams, out, **arguments)
    try:
        for result in prediction:
            recorder.take(result)
    finally:
        reports = recorder.close()
    return reports


def read(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        ok, frame = capture.read()
        if not ok:
            return frames
        frames.append(frame)


def test_recorded_video(segmentor, frames, folder, tmp_path):
    """A folder with a damaged image as a video, beside a clip."""
    (folder / '9.png').write_bytes(b'damaged')
    clip = write_clip(tmp_path / 'clip.mp4', frames)
    out = tmp_path / 'out'
    still, moving = record(segmentor, [str(folder), clip], out, warm_up=2,
                           save='both', video=True, facts=dict(model='m'))
    assert still['frames'] == moving['frames'] == 5
    assert [p['frame'] for p in still['problems']] == [2]
    assert (still['good_frames'], still['bad_frames']) == (4, 1)
    assert still['measured_frames'] == 2
    assert still['work_size'] == (32, 48)
    assert moving['problems'] == []
    assert moving['announced_frames'] == 5
    assert moving['ended'] == 'end of file'
    report = json.loads((out / 'frames_latency.json').read_text())
    assert report['model'] == 'm'
    assert [x is None for x in report['per_frame_ms']] == [
        False, False, True, False, False]
    assert report['average_ms'] == still['average_ms']
    pictures = read(out / 'frames_overlay.mp4')
    assert len(pictures) == 5
    assert pictures[0].shape == (64, 96, 3)
    # the held frame is drawn as the one before it, up to the encoder
    moved = [np.abs(a.astype(float) - b).mean()
             for a, b in zip(pictures[1:], pictures[2:])]
    assert moved[0] < 0.5 * min(moved[1:])
    # not the labels of another image under the name of the damaged one
    assert sorted(p.name for p in (out / 'frames_labels').iterdir()) == [
        '10.png', '11.png', '7.png', '8.png']
    labels = sorted((out / 'clip_labels').iterdir())
    assert [p.name for p in labels] == [f'{i:06d}.png' for i in range(5)]
    assert not list(out.glob('*.part*'))


def test_recorded_images(segmentor, frames, folder, tmp_path):
    cv2.imwrite(str(folder / '7.jpg'), frames[0])
    (folder / '9.png').write_bytes(b'damaged')
    out = tmp_path / 'out'
    record(segmentor, folder, out, save='both')
    names = ['10.png', '11.png', '7.jpg.png', '7.png.png', '8.png']
    for what in ('overlay', 'labels'):
        assert sorted(p.name for p in (out / f'frames_{what}').iterdir()
                      ) == names
    record(segmentor, folder / '8.png', out, save='both', opacity=0.9)
    result = next(segmentor.predict(folder / '8.png'))
    np.testing.assert_array_equal(
        cv2.imread(str(out / '8_labels.png'), 0), result.labels)
    np.testing.assert_array_equal(
        cv2.imread(str(out / '8_overlay.png')), result.overlay(0.9))


def test_recorder_says_what_could_not_be_written(segmentor, frames, tmp_path):
    with pytest.raises(ValueError, match='save must be'):
        Recorder([], tmp_path, save='all')
    (tmp_path / 'array_overlay').write_text('in the way')
    with pytest.raises(OSError):
        record(segmentor, [frames[0], frames[1]], tmp_path)


def test_latency():
    """Milliseconds 100, 1 to 10: without the first, then without two."""
    def of(seconds, warm_up):
        latency = Latency(warm_up)
        for one in seconds:
            latency.add(one)
        return latency.summary()

    seconds = [0.1] + [x / 1000 for x in range(1, 11)]
    got = of(seconds, 1)
    assert got['first_frame_ms'] == pytest.approx(100)
    assert got['average_ms'] == pytest.approx(5.5)
    assert got['maximum_ms'] == pytest.approx(10)
    assert of(seconds, 2)['average_ms'] == pytest.approx(6)
    assert of([], 5)['median_ms'] is None
    assert of([0.1], 5)['measured_frames'] == 0
    many = np.random.default_rng(0).lognormal(-3, 0.4, 5000)
    got = of(many, 0)
    assert got['median_ms'] == pytest.approx(1e3 * np.median(many), rel=2e-3)
    assert got['p99_ms'] == pytest.approx(
        1e3 * np.percentile(many, 99), rel=1e-2)
    assert got['maximum_over_median'] == pytest.approx(
        many.max() / np.median(many), rel=2e-3)
